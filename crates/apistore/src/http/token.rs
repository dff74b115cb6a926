//! Tokens of service accounts: asked for through `serviceaccounts/x/token`, signed here, and recognised by TokenReview.
//!
//! They say who someone is to those who ask for a review, such as a CSI driver. They open nothing here: this API has one user.
//! Unlike upstream, whose key is RSA, tokens are signed with ECDSA (ES256).

use std::sync::OnceLock;

use api_kinds::Resource;
use apimachinery::object::{at, meta, text};
use apimachinery::{FieldError, GroupKind, GroupResource, Status};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use rcgen::{KeyPair, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::accept::{self, Accepted, Of};
use super::reply::{Refusal, Reply};
use super::{Api, Call, body, wrong_method};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const DEFAULT_SECS: i64 = 3600;
const MIN_SECS: i64 = 600;

/// The key that tokens are signed with. Made when it is first needed, unless it was kept from before.
#[derive(Default)]
pub(crate) struct Signer(OnceLock<Option<KeyPair>>);

impl Signer {
    /// Signs with this key from now on, if nothing was signed yet.
    pub(crate) fn keep(&self, key: KeyPair) {
        let _ = self.0.set(Some(key));
    }

    fn key(&self) -> Option<&KeyPair> {
        self.0.get_or_init(|| KeyPair::generate().ok()).as_ref()
    }

    fn sign(&self, claims: &Value) -> Option<String> {
        let key = self.key()?;
        let id: String = Sha256::digest(key.public_key_raw()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&json!({"alg": "ES256", "kid": id, "typ": "JWT"})), encode(claims));
        let signature = fixed(&key.sign(signed.as_bytes()).ok()?)?;
        Some(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a token that was signed here.
    fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = self.key()?.public_key_raw();
        let verified = rustls::crypto::ring::default_provider().signature_verification_algorithms.all.iter().any(|algorithm| {
            algorithm.public_key_alg_id() == rustls::pki_types::alg_id::ECDSA_P256
                && algorithm.signature_alg_id() == rustls::pki_types::alg_id::ECDSA_SHA256
                && der(&signature).is_some_and(|der| algorithm.verify_signature(key, signed.as_bytes(), &der).is_ok())
        });
        let claims = verified.then(|| BASE64_URL_SAFE_NO_PAD.decode(claims).ok()).flatten()?;
        serde_json::from_slice(&claims).ok()
    }

    /// `status` of a TokenReview.
    pub(super) fn review(&self, api: &Api, token: &str, spec: &Value) -> Value {
        let refused = |error: &str| json!({"user": {}, "error": error});
        let Some(claims) = self.claims(token) else { return refused("invalid bearer token") };
        let now = api.ctx.timestamp().as_second();
        if claims.get("exp").and_then(Value::as_i64).is_none_or(|end| end <= now) {
            return refused("[invalid bearer token, service account token has expired]");
        }
        let audiences = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut wanted = audiences(spec.get("audiences"));
        if wanted.is_empty() {
            wanted.push(ISSUER.to_owned());
        }
        let own = audiences(claims.get("aud"));
        let shared: Vec<String> = own.iter().filter(|audience| wanted.contains(audience)).cloned().collect();
        if shared.is_empty() {
            let why = format!("token audiences {} is invalid for the target audiences {}", quoted(&own), quoted(&wanted));
            return refused(&format!("[invalid bearer token, {why}]"));
        }
        let namespace = text(&claims, &["kubernetes.io", "namespace"]);
        let (account, uid) = (["kubernetes.io", "serviceaccount", "name"], ["kubernetes.io", "serviceaccount", "uid"]);
        let accounts = api.store.registry().find("", "v1", "serviceaccounts");
        let live = accounts.and_then(|accounts| api.store.get(&accounts, namespace, text(&claims, &account)));
        if live.is_none_or(|live| meta(&live.value(), "uid") != text(&claims, &uid)) {
            return refused("[invalid bearer token, service account token has been invalidated]");
        }
        let mut extra = json!({"authentication.kubernetes.io/credential-id": [format!("JTI={}", text(&claims, &["jti"]))]});
        if let Some(pod) = at(&claims, &["kubernetes.io", "pod"]) {
            extra["authentication.kubernetes.io/pod-name"] = json!([text(pod, &["name"])]);
            extra["authentication.kubernetes.io/pod-uid"] = json!([text(pod, &["uid"])]);
        }
        let groups = [
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ];
        let user = json!({"username": text(&claims, &["sub"]), "uid": text(&claims, &uid), "groups": groups, "extra": extra});
        json!({"authenticated": true, "user": user, "audiences": shared})
    }
}

/// A list as messages show one: `["a" "b"]`.
fn quoted(list: &[String]) -> String {
    let quoted: Vec<_> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

/// An ECDSA signature as X.509 has it, as two numbers of 32 bytes.
fn fixed(der: &[u8]) -> Option<Vec<u8>> {
    let mut rest = der.strip_prefix(&[0x30])?.get(1..)?;
    let mut numbers = Vec::with_capacity(64);
    for _ in 0..2 {
        let length = usize::from(*rest.strip_prefix(&[0x02])?.first()?);
        let number = rest.get(2..2 + length)?;
        rest = rest.get(2 + length..)?;
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        numbers.resize(numbers.len() + 32_usize.checked_sub(number.len())?, 0);
        numbers.extend_from_slice(number);
    }
    Some(numbers)
}

/// The way back.
fn der(fixed: &[u8]) -> Option<Vec<u8>> {
    let (first, second) = (fixed.get(..32)?, fixed.get(32..64)?);
    let mut body = Vec::with_capacity(72);
    for number in [first, second] {
        let start = number.iter().position(|&byte| byte != 0).unwrap_or(31);
        let number = number.get(start..)?;
        // A number whose first bit is set would be read as negative.
        let sign: &[u8] = if number.first()? & 0x80 == 0 { &[] } else { &[0] };
        body.extend_from_slice(&[0x02, u8::try_from(number.len() + sign.len()).ok()?]);
        body.extend_from_slice(sign);
        body.extend_from_slice(number);
    }
    let mut der = vec![0x30, u8::try_from(body.len()).ok()?];
    der.extend_from_slice(&body);
    (fixed.len() == 64).then_some(der)
}

/// POST `serviceaccounts/x/token`.
pub(super) async fn create<B: hyper::body::Body>(
    api: &Api,
    call: &Call,
    accounts: &Resource,
    namespace: &str,
    name: &str,
    body: B,
) -> Result<Reply, Refusal> {
    if call.method != Method::POST {
        return Err(wrong_method());
    }
    let Accepted { format, .. } = accept::negotiate(&call.headers, &call.query, Of::Document)?;
    let bytes = body::collect(body).await?;
    let request = body::plain(body::content_type(&call.headers), &bytes, "TokenRequest")?;
    let account = api.store.get(accounts, namespace, name).ok_or_else(|| Status::not_found(&accounts.group_resource(), name))?;
    let account = account.value();
    let spec = request.get("spec").cloned().unwrap_or_else(|| json!({}));
    let secs = lifetime(&spec)?;
    let mut private = json!({"namespace": namespace, "serviceaccount": {"name": name, "uid": meta(&account, "uid")}});
    let bound = spec.get("boundObjectRef").filter(|bound| !bound.is_null()).cloned();
    if let Some(bound) = &bound {
        private["pod"] = pod(api, call, namespace, name, bound)?;
    }
    let mut audiences: Vec<Value> = spec.get("audiences").and_then(Value::as_array).cloned().unwrap_or_default();
    if audiences.is_empty() {
        audiences.push(ISSUER.into());
    }
    let now = api.ctx.timestamp();
    let (start, end) = (now.as_second(), now.as_second() + secs);
    let claims = json!({
        "aud": audiences, "exp": end, "iat": start, "nbf": start, "iss": ISSUER, "jti": api.uuid("token"),
        "sub": format!("system:serviceaccount:{namespace}:{name}"), "kubernetes.io": private
    });
    let token = api.signer.sign(&claims).ok_or_else(|| Status::internal("no key to sign tokens with could be made"))?;
    let expires = jiff::Timestamp::from_second(end).unwrap_or(now);
    let answer = json!({
        "metadata": {
            "name": name, "namespace": namespace, "uid": meta(&account, "uid"),
            "creationTimestamp": apimachinery::object::time(now)
        },
        "spec": {"audiences": audiences, "expirationSeconds": secs, "boundObjectRef": bound},
        "status": {"token": token, "expirationTimestamp": apimachinery::object::time(expires)}
    });
    let json = format!("{{\"kind\":\"TokenRequest\",\"apiVersion\":\"authentication.k8s.io/v1\",{}", &answer.to_string()[1..]);
    Ok(Reply::json(201, json.into(), format))
}

fn lifetime(spec: &Value) -> Result<i64, Status> {
    let secs = spec.get("expirationSeconds").and_then(Value::as_i64).unwrap_or(DEFAULT_SECS);
    let detail = match secs {
        ..MIN_SECS => "may not specify a duration less than 10 minutes",
        4_294_967_297.. => "may not specify a duration larger than 2^32 seconds",
        _ => return Ok(secs),
    };
    let kind = GroupKind { group: "authentication.k8s.io".into(), kind: "TokenRequest".into() };
    Err(Status::invalid(&kind, "", &[FieldError::invalid("spec.expirationSeconds", secs, detail)]))
}

/// The pod that a token is bound to, as its claims name it.
fn pod(api: &Api, call: &Call, namespace: &str, account: &str, bound: &Value) -> Result<Value, Status> {
    let (version, kind, name) = (text(bound, &["apiVersion"]), text(bound, &["kind"]), text(bound, &["name"]));
    if (version, kind) != ("v1", "Pod") {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let message = format!("cannot bind token to object of type {group}/{version}, Kind={kind}");
        return Err(Status::bad_request(message));
    }
    let pods = GroupResource { group: String::new(), resource: "pods".into() };
    let found = call.registry.find("", "v1", "pods").and_then(|pods| api.store.get(&pods, namespace, name));
    let pod = found.ok_or_else(|| Status::not_found(&pods, name))?.value();
    let other = text(&pod, &["spec", "serviceAccountName"]);
    if other != account {
        let why = "pod running with different serviceaccount name.";
        return Err(Status::bad_request(format!("cannot bind token for serviceaccount {account:?} to {why}")));
    }
    let (wanted, uid) = (text(bound, &["uid"]), meta(&pod, "uid"));
    if !wanted.is_empty() && wanted != uid {
        let why = format!(
            "the UID in the bound object reference ({wanted}) does not match the UID in record. The object might have been deleted and then recreated"
        );
        let pod = GroupResource { group: String::new(), resource: "Pod".into() };
        return Err(Status::conflict(&pod, name, why));
    }
    Ok(json!({"name": name, "uid": uid}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_recognised_and_what_was_not_is_not() {
        let signer = Signer::default();
        let claims = json!({"sub": "system:serviceaccount:ns:sa"});
        for _ in 0..40 {
            let token = signer.sign(&claims).expect("a token");
            assert_eq!(signer.claims(&token), Some(claims.clone()));
        }
        let token = signer.sign(&claims).expect("a token");
        assert_eq!(Signer::default().claims(&token), None);
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let forged = BASE64_URL_SAFE_NO_PAD.encode(json!({"sub": "system:serviceaccount:ns:other"}).to_string());
        let (algorithm, _) = head.split_once('.').expect("two parts");
        assert_eq!(signer.claims(&format!("{algorithm}.{forged}.{signature}")), None);
        for broken in ["", ".", "a.b.c", "..", &token[..token.len() - 4]] {
            assert_eq!(signer.claims(broken), None, "{broken}");
        }
    }
}
