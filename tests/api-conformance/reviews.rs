//! Questions that are answered and not stored, and tokens of service accounts.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    l1_a_token_is_made_for_an_account,
    l1b_a_tokens_audiences_and_time_are_as_asked,
    l2_a_token_says_whose_it_is,
    l2b_a_token_can_be_bound_to_a_pod,
    l3_a_token_lasts_ten_minutes_at_least,
    l4_a_missing_account_has_no_token,
    l4b_a_token_is_bound_to_nothing_else,
    l4c_a_token_is_bound_to_a_pod_that_is_there,
    l4d_a_token_is_bound_to_a_pod_of_its_account,
    l4e_a_token_is_bound_to_that_very_pod,
    l5_a_token_can_be_reviewed,
    l5b_a_token_that_is_none_is_not_authenticated,
    l5c_a_token_is_for_its_audiences_only,
    l5d_who_am_i_is_answered,
    l5e_may_i_is_answered,
    l5f_questions_are_not_kept,
}

/// An account, and where its tokens are made.
async fn account(w: &World) -> (Value, String) {
    let collection = w.core("serviceaccounts").await;
    let made = w.post(&collection, &json!({"metadata": {"name": "account"}})).await.made();
    (made, format!("{collection}/account/token"))
}

/// The second part of a token, decoded.
fn claims(token: &Value) -> Value {
    use base64::Engine as _;
    let text = token.as_str().expect("a token");
    let parts: Vec<_> = text.split('.').collect();
    assert_eq!(parts.len(), 3, "a JWT has three parts");
    let decode = |part: &str| -> Value {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    assert!(decode(parts[0])["alg"].is_string());
    decode(parts[1])
}

async fn l1_a_token_is_made_for_an_account(w: &World) {
    let (account, path) = account(w).await;
    let made = w.post(&path, &json!({"spec": {}})).await.made();
    includes(&made, &json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}));
    includes(&made["metadata"], &json!({"name": "account", "namespace": w.namespace().await, "uid": account["metadata"]["uid"]}));
    let spec = &made["spec"];
    assert_eq!((&spec["expirationSeconds"], spec.get("boundObjectRef")), (&json!(3600), Some(&Value::Null)));
    assert_eq!(spec["audiences"], json!([claims(&made["status"]["token"])["iss"]]));
    assert!(made["status"]["expirationTimestamp"].as_str() > made["metadata"]["creationTimestamp"].as_str(), "{made}");
}

async fn l1b_a_tokens_audiences_and_time_are_as_asked(w: &World) {
    let (_, path) = account(w).await;
    let made = w.post(&path, &json!({"spec": {"audiences": ["a", "b"], "expirationSeconds": 700}})).await.made();
    includes(&made["spec"], &json!({"audiences": ["a", "b"], "expirationSeconds": 700}));
    let claims = claims(&made["status"]["token"]);
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, start)| end - start), Some(700));
}

async fn l2_a_token_says_whose_it_is(w: &World) {
    let (account, path) = account(w).await;
    let claims = claims(&w.post(&path, &json!({"spec": {}})).await.made()["status"]["token"]);
    let namespace = w.namespace().await;
    assert_eq!(claims["sub"], format!("system:serviceaccount:{namespace}:account"));
    let of = json!({"namespace": namespace, "serviceaccount": {"name": "account", "uid": account["metadata"]["uid"]}});
    assert_eq!(claims["kubernetes.io"], of);
    assert!(claims["jti"].is_string() && claims["nbf"].is_i64() && claims["aud"].is_array(), "{claims}");
}

/// A pod that runs as that account.
async fn pod_of(w: &World, account: &str) -> Value {
    let mut body = pod("p");
    body["spec"]["serviceAccountName"] = account.into();
    w.post(&w.core("pods").await, &body).await.made()
}

fn bound(kind: &str, name: &str) -> Value {
    json!({"spec": {"boundObjectRef": {"kind": kind, "apiVersion": "v1", "name": name}}})
}

async fn l2b_a_token_can_be_bound_to_a_pod(w: &World) {
    let (_, path) = account(w).await;
    let pod = pod_of(w, "account").await;
    let made = w.post(&path, &bound("Pod", "p")).await.made();
    assert_eq!(made["spec"]["boundObjectRef"], json!({"kind": "Pod", "apiVersion": "v1", "name": "p"}));
    let found = claims(&made["status"]["token"]);
    assert_eq!(found["kubernetes.io"]["pod"], json!({"name": "p", "uid": pod["metadata"]["uid"]}));
}

async fn l3_a_token_lasts_ten_minutes_at_least(w: &World) {
    let (_, path) = account(w).await;
    let cases = [
        (5_i64, "may not specify a duration less than 10 minutes"),
        (5_000_000_000, "may not specify a duration larger than 2^32 seconds"),
    ];
    for (secs, why) in cases {
        let message = format!("Invalid value: {secs}: {why}");
        let reply = w.post(&path, &json!({"spec": {"expirationSeconds": secs}})).await;
        reply.invalid("TokenRequest.authentication.k8s.io", "", &[("spec.expirationSeconds", "Invalid", &message)]);
    }
}

async fn l4_a_missing_account_has_no_token(w: &World) {
    let path = format!("{}/nope/token", w.core("serviceaccounts").await);
    w.post(&path, &json!({"spec": {}})).await.missing("serviceaccounts", "nope");
}

async fn l4b_a_token_is_bound_to_nothing_else(w: &World) {
    let (_, path) = account(w).await;
    let reply = w.post(&path, &bound("ConfigMap", "x")).await;
    reply.bad_request("cannot bind token to object of type /v1, Kind=ConfigMap");
}

async fn l4c_a_token_is_bound_to_a_pod_that_is_there(w: &World) {
    let (_, path) = account(w).await;
    w.post(&path, &bound("Pod", "nope")).await.missing("pods", "nope");
}

async fn l4d_a_token_is_bound_to_a_pod_of_its_account(w: &World) {
    let (_, path) = account(w).await;
    let other = json!({"metadata": {"name": "other"}});
    w.post(&w.core("serviceaccounts").await, &other).await.made();
    pod_of(w, "other").await;
    let reply = w.post(&path, &bound("Pod", "p")).await;
    reply.bad_request("cannot bind token for serviceaccount \"account\" to pod running with different serviceaccount name.");
}

async fn l4e_a_token_is_bound_to_that_very_pod(w: &World) {
    let (_, path) = account(w).await;
    pod_of(w, "account").await;
    let mut body = bound("Pod", "p");
    body["spec"]["boundObjectRef"]["uid"] = "zz".into();
    let message = "Operation cannot be fulfilled on Pod \"p\": the UID in the bound object reference (zz) does not match the UID in record. The object might have been deleted and then recreated";
    let details = w.post(&path, &body).await.refused(409, "Conflict", message);
    assert_eq!(details, json!({"name": "p", "kind": "Pod"}));
}

const TOKEN_REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";

async fn l5_a_token_can_be_reviewed(w: &World) {
    let (account, path) = account(w).await;
    let token = w.post(&path, &json!({"spec": {}})).await.made()["status"]["token"].clone();
    let found = w.post(TOKEN_REVIEWS, &json!({"spec": {"token": token}})).await.made();
    includes(&found, &json!({"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1"}));
    let namespace = w.namespace().await;
    let user = json!({
        "username": format!("system:serviceaccount:{namespace}:account"), "uid": account["metadata"]["uid"],
        "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [format!("JTI={}", claims(&token)["jti"].as_str().expect("an id"))]},
    });
    assert_eq!(found["status"], json!({"authenticated": true, "user": user, "audiences": claims(&token)["aud"]}));
}

async fn l5b_a_token_that_is_none_is_not_authenticated(w: &World) {
    let found = w.post(TOKEN_REVIEWS, &json!({"spec": {"token": "nonsense"}})).await.made();
    assert_eq!(found["status"], json!({"user": {}, "error": "invalid bearer token"}));
    w.post(TOKEN_REVIEWS, &json!({"spec": {}})).await.bad_request("token is required for TokenReview in authentication");
}

async fn l5c_a_token_is_for_its_audiences_only(w: &World) {
    let (_, path) = account(w).await;
    let token = w.post(&path, &json!({"spec": {"audiences": ["mine"]}})).await.made()["status"]["token"].clone();
    let found = w.post(TOKEN_REVIEWS, &json!({"spec": {"token": token, "audiences": ["mine", "other"]}})).await.made();
    includes(&found["status"], &json!({"authenticated": true, "audiences": ["mine"]}));
    let found = w.post(TOKEN_REVIEWS, &json!({"spec": {"token": token, "audiences": ["other"]}})).await.made();
    assert_eq!((found["status"].get("authenticated"), &found["status"]["user"]), (None, &json!({})));
    let why = "token audiences [\"mine\"] is invalid for the target audiences [\"other\"]";
    assert!(found["status"]["error"].as_str().is_some_and(|error| error.contains(why)), "{}", found["status"]);
}

async fn l5d_who_am_i_is_answered(w: &World) {
    let found = w.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &json!({})).await.made();
    includes(&found, &json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}));
    let user = &found["status"]["userInfo"];
    assert!(
        user["username"].is_string()
            && user["groups"].as_array().is_some_and(|groups| groups.contains(&json!("system:authenticated"))),
        "{found}"
    );
}

async fn l5e_may_i_is_answered(w: &World) {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let spec = json!({"resourceAttributes": {"verb": "get", "resource": "pods"}});
    let found = w.post(path, &json!({"spec": spec})).await.made();
    includes(&found, &json!({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": spec}));
    assert_eq!(found["status"]["allowed"], true);
}

async fn l5f_questions_are_not_kept(w: &World) {
    w.get(TOKEN_REVIEWS).await.method_not_allowed();
    let (_, path) = account(w).await;
    w.get(&path).await.method_not_allowed();
}
