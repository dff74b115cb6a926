//! Where apistore differs on purpose. EXCEPTIONS.md says how and why.

/// The ids of the behaviours that differ.
pub(crate) const EXCEPTIONS: &[&str] = &["B1d", "G10", "G12", "G21", "I2f", "K18b"];

mod written {
    use std::collections::BTreeSet;

    /// The first cell of each row.
    fn documented() -> BTreeSet<String> {
        let rows = include_str!("EXCEPTIONS.md").lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
        rows.map(|(id, _)| id.trim().to_owned()).filter(|id| id != "id").collect()
    }

    #[test]
    fn the_document_and_the_code_name_the_same_ones() {
        let listed: BTreeSet<_> = super::EXCEPTIONS.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(documented(), listed, "left: EXCEPTIONS.md, right: exceptions.rs");
    }

    #[test]
    fn each_is_a_behaviour() {
        let known: BTreeSet<_> = crate::table().map(crate::Behaviour::id).collect();
        for id in super::EXCEPTIONS {
            assert!(known.contains(*id), "{id} is an exception to nothing");
        }
    }
}
