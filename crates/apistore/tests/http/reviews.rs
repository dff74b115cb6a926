//! Questions and tokens.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::{Asker, run};

const ACCOUNTS: &str = "/api/v1/namespaces/n/serviceaccounts";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

#[test]
fn the_one_user_may_do_everything_and_is_told_who_it_is() {
    run(|api| async move {
        let spec = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
        let may = api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", spec).await;
        assert_eq!((may.code, &may.json()["status"]["allowed"]), (201, &json!(true)), "{}", may.text);
        let who = api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({})).await;
        assert_eq!((who.code, &who.json()["status"]["userInfo"]["username"]), (201, &json!("longshore")), "{}", who.text);
        assert_eq!(api.get(REVIEWS).await.code, 405);
    });
}

async fn token(api: &Asker, spec: Value) -> Value {
    let reply = api.post(&format!("{ACCOUNTS}/sa/token"), json!({ "spec": spec })).await;
    assert_eq!(reply.code, 201, "{}", reply.text);
    reply.json()
}

#[test]
fn a_token_names_its_account_and_is_recognised_by_a_review() {
    run(|api| async move {
        let account = api.post(ACCOUNTS, json!({"metadata": {"name": "sa"}})).await.json();
        let request = token(&api, json!({})).await;
        assert_eq!((&request["kind"], &request["spec"]["expirationSeconds"]), (&json!("TokenRequest"), &json!(3600)));
        assert_eq!(request["status"]["expirationTimestamp"], "2026-01-01T01:00:00Z");
        let jwt = request["status"]["token"].as_str().expect("a token");
        let claims = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).expect("claims")).expect("base64");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        assert_eq!(claims["sub"], "system:serviceaccount:n:sa");
        assert_eq!(claims["kubernetes.io"]["serviceaccount"], json!({"name": "sa", "uid": account["metadata"]["uid"]}));
        let review = api.post(REVIEWS, json!({"spec": {"token": jwt}})).await.json();
        assert_eq!(
            (&review["status"]["authenticated"], &review["status"]["user"]["username"]),
            (&json!(true), &json!("system:serviceaccount:n:sa"))
        );
        let other = api.post(REVIEWS, json!({"spec": {"token": jwt, "audiences": ["other"]}})).await.json();
        assert!(other["status"].get("authenticated").is_none(), "{other}");
        let forged = api.post(REVIEWS, json!({"spec": {"token": format!("{jwt}x")}})).await.json();
        assert!(forged["status"].get("authenticated").is_none() && forged["status"]["error"].is_string());
        assert_eq!(api.ask("DELETE", &format!("{ACCOUNTS}/sa"), &[], b"").await.code, 200);
        let gone = api.post(REVIEWS, json!({"spec": {"token": jwt}})).await.json();
        assert!(gone["status"].get("authenticated").is_none());
    });
}

#[test]
fn tokens_that_cannot_be_given_are_refused() {
    run(|api| async move {
        api.post(ACCOUNTS, json!({"metadata": {"name": "sa"}})).await;
        for (account, spec, code, message) in [
            ("nope", json!({}), 404, r#"serviceaccounts "nope" not found"#),
            (
                "sa",
                json!({"expirationSeconds": 5}),
                422,
                r#"TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes"#,
            ),
            (
                "sa",
                json!({"boundObjectRef": {"apiVersion": "v1", "kind": "ConfigMap", "name": "x"}}),
                400,
                "cannot bind token to object of type /v1, Kind=ConfigMap",
            ),
            (
                "sa",
                json!({"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "nope"}}),
                404,
                r#"pods "nope" not found"#,
            ),
        ] {
            let reply = api.post(&format!("{ACCOUNTS}/{account}/token"), json!({ "spec": spec })).await;
            assert_eq!((reply.code, reply.failure().2.as_str()), (code, message), "{spec}");
        }
    });
}

#[test]
fn a_review_of_no_token_is_refused() {
    run(|api| async move {
        let (code, _, message) = api.post(REVIEWS, json!({"spec": {}})).await.failure();
        assert_eq!((code, message.as_str()), (400, "token is required for TokenReview in authentication"));
    });
}
