//! In which namespace this pod runs.

const FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The namespace for this program's own objects when no flag names one: `POD_NAMESPACE`, then the service account's, then
/// `default`. Spec: common.md §11.
pub fn pod_namespace() -> String {
    choose(std::env::var("POD_NAMESPACE").ok(), || std::fs::read_to_string(FILE).ok())
}

fn choose(env: Option<String>, file: impl FnOnce() -> Option<String>) -> String {
    let filled = |text: &String| !text.is_empty();
    env.filter(filled)
        .or_else(|| file().map(|text| text.trim().to_owned()).filter(filled))
        .unwrap_or_else(|| "default".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_comes_before_the_service_account_and_default_is_last() {
        let file = |text: &str| Some(text.to_owned());
        assert_eq!(choose(file("storage"), || file("other")), "storage");
        assert_eq!(choose(file(""), || file(" kube-system\n")), "kube-system");
        assert_eq!(choose(None, || file("\n")), "default");
        assert_eq!(choose(None, || None), "default");
    }
}
