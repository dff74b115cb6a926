//! Questions that are answered and not stored: who am I, may I, whose token is this.

use apimachinery::{Status, object};
use http::Method;
use serde_json::{Value, json};

use super::accept::{self, Accepted, Of};
use super::reply::{Refusal, Reply};
use super::{Api, Call, body, wrong_method};

/// A kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Review {
    /// May I?
    SelfSubjectAccess,
    /// Who am I?
    SelfSubject,
    /// Whose token is this?
    Token,
}

impl Review {
    const ALL: [Self; 3] = [Self::SelfSubject, Self::Token, Self::SelfSubjectAccess];

    fn group(self) -> &'static str {
        match self {
            Self::SelfSubjectAccess => "authorization.k8s.io",
            Self::SelfSubject | Self::Token => "authentication.k8s.io",
        }
    }

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::SelfSubjectAccess => "SelfSubjectAccessReview",
            Self::SelfSubject => "SelfSubjectReview",
            Self::Token => "TokenReview",
        }
    }

    pub(super) fn singular(self) -> String {
        self.kind().to_ascii_lowercase()
    }

    pub(super) fn plural(self) -> String {
        format!("{}s", self.singular())
    }

    /// The groups that have questions.
    pub(super) fn groups() -> [&'static str; 2] {
        ["authentication.k8s.io", "authorization.k8s.io"]
    }

    /// The versions of such a group.
    pub(super) fn versions(group: &str) -> &'static [&'static str] {
        if Self::groups().contains(&group) { &["v1"] } else { &[] }
    }

    /// The questions of this version.
    pub(super) fn of_version(group: &str, version: &str) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |review| review.group() == group && version == "v1")
    }

    /// The question at this path.
    pub(super) fn at(group: &str, version: &str, rest: &[&str]) -> Option<Self> {
        let [plural] = rest else { return None };
        Self::of_version(group, version).find(|review| review.plural() == *plural)
    }
}

/// Answers a question.
pub(super) async fn create<B: hyper::body::Body>(api: &Api, call: &Call, review: Review, body: B) -> Result<Reply, Refusal> {
    if call.method != Method::POST {
        return Err(wrong_method());
    }
    let Accepted { format, .. } = accept::negotiate(&call.headers, &call.query, Of::Document)?;
    let bytes = body::collect(body).await?;
    let value = body::plain(body::content_type(&call.headers), &bytes, review.kind())?;
    let now = object::time(api.ctx.timestamp());
    let spec = value.get("spec").cloned().unwrap_or_else(|| json!({}));
    let user = || json!({"username": call.caller.name(), "groups": call.caller.groups()});
    let mut answer = json!({"metadata": {"creationTimestamp": Value::Null}});
    match review {
        Review::SelfSubjectAccess => {
            if spec.get("resourceAttributes").is_none_or(Value::is_null)
                == spec.get("nonResourceAttributes").is_none_or(Value::is_null)
            {
                return Err(one_question(&spec).into());
            }
            answer["spec"] = spec;
            answer["status"] = json!({"allowed": true, "reason": "there is one user, who may do everything"});
        }
        Review::SelfSubject => {
            answer["metadata"]["creationTimestamp"] = now;
            answer["status"] = json!({ "userInfo": user() });
        }
        Review::Token => {
            let token = object::text(&spec, &["token"]).to_owned();
            if token.is_empty() {
                return Err(Status::bad_request("token is required for TokenReview in authentication").into());
            }
            answer["status"] = api.signer.review(api, &token, &spec);
            answer["spec"] = spec;
        }
    }
    let (kind, rest) = (review.kind(), answer.to_string());
    let json = format!("{{\"kind\":\"{kind}\",\"apiVersion\":\"{}/v1\",{}", review.group(), &rest[1..]);
    Ok(Reply::json(201, json.into(), format))
}

/// A question must be about a resource or about a path.
fn one_question(spec: &Value) -> Status {
    let both = spec.get("resourceAttributes").is_some_and(|value| !value.is_null());
    let detail = if both {
        "cannot be specified in combination with resourceAttributes"
    } else {
        "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    };
    let (field, shown) =
        if both { ("spec.nonResourceAttributes", spec.get("nonResourceAttributes")) } else { ("spec.resourceAttributes", None) };
    let kind = apimachinery::GroupKind { group: "authorization.k8s.io".into(), kind: "SelfSubjectAccessReview".into() };
    let error = apimachinery::FieldError::invalid(field, shown.cloned().unwrap_or(Value::Null), detail);
    Status::invalid(&kind, "", &[error])
}
