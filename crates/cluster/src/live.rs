//! Reads that must be fresh: secrets, and whole objects that are put back.

use csi_types::{Secret, SecretRef};
use k8s_openapi::api::core::v1::Secret as SecretObject;
use kube::api::PostParams;
use kube::core::DynamicObject;
use kube::{Api, Client};

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is not there. Whoever made the reference must make the secret.
    #[error("secret {0} does not exist")]
    Missing(SecretRef),
    /// The API server did not give it to us.
    #[error("cannot read secret {secret}")]
    Read {
        /// Which one.
        secret: SecretRef,
        /// Why not.
        #[source]
        source: kube::Error,
    },
    /// CSI carries text only.
    #[error("secret {secret} holds something that is not UTF-8 text under the key {key:?}")]
    NotText {
        /// Which one.
        secret: SecretRef,
        /// Under which key.
        key: String,
    },
}

/// Reads a secret, for one call. Never cached.
///
/// # Errors
/// See [`SecretError`]. No error shows a value.
pub async fn secret(client: &Client, secret: &SecretRef) -> Result<Secret, SecretError> {
    let api: Api<SecretObject> = Api::namespaced(client.clone(), &secret.namespace);
    let object = match api.get_opt(&secret.name).await {
        Ok(Some(object)) => object,
        Ok(None) => return Err(SecretError::Missing(secret.clone())),
        Err(source) => return Err(SecretError::Read { secret: secret.clone(), source }),
    };
    let data = object.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0));
    Secret::from_data(data).map_err(|key| SecretError::NotText { secret: secret.clone(), key })
}

/// What became of a [`change`].
#[derive(Debug)]
pub enum Changed {
    /// Written; this is what the server answered.
    Written(Box<DynamicObject>),
    /// `edit` found nothing to do, or the object is not the one that was meant (another uid).
    Unchanged,
    /// The object is not there.
    Gone,
}

/// Reads an object whole and untyped, lets `edit` change it, and puts it back with the resourceVersion it was read at: for
/// kinds on which upstream's roles grant `update` and not `patch`. Nothing that we do not know is lost.
///
/// `edit` returns whether there is something to write.
///
/// # Errors
/// What the API server said; a conflict (409) means that somebody else wrote meanwhile, and nothing was changed.
pub async fn change(
    api: &Api<DynamicObject>,
    name: &str,
    uid: &str,
    edit: impl FnOnce(&mut DynamicObject) -> bool,
) -> Result<Changed, kube::Error> {
    let Some(mut object) = api.get_opt(name).await? else { return Ok(Changed::Gone) };
    if object.metadata.uid.as_deref() != Some(uid) || !edit(&mut object) {
        return Ok(Changed::Unchanged);
    }
    match api.replace(name, &PostParams::default(), &object).await {
        Ok(written) => Ok(Changed::Written(Box::new(written))),
        Err(error) if is_not_found(&error) => Ok(Changed::Gone),
        Err(error) => Err(error),
    }
}

/// 404.
pub fn is_not_found(error: &kube::Error) -> bool {
    status_code(error) == Some(404)
}

/// 409 because the object changed under us.
pub fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409 && status.reason == "Conflict")
}

/// 409 because there is one of that name.
pub fn already_exists(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists")
}

/// 403.
pub fn is_forbidden(error: &kube::Error) -> bool {
    status_code(error) == Some(403)
}

fn status_code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}
