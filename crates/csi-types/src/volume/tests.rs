use super::*;

#[test]
fn a_sanitized_driver_name_never_ends_in_a_dash() {
    assert_eq!(sanitize_driver_name("ebs.csi.aws.com"), "ebs-csi-aws-com");
    assert_eq!(sanitize_driver_name("x."), "x-X");
}

#[test]
fn the_set_of_access_modes_decides_the_csi_mode_and_not_its_order() {
    use AccessMode::*;
    let table: [(&[AccessMode], bool, Option<CsiAccessMode>); 9] = [
        (&[ReadWriteOnce], false, Some(CsiAccessMode::SingleNodeWriter)),
        (&[ReadWriteOnce], true, Some(CsiAccessMode::SingleNodeMultiWriter)),
        (&[ReadWriteOncePod], false, Some(CsiAccessMode::SingleNodeWriter)),
        (&[ReadWriteOncePod], true, Some(CsiAccessMode::SingleNodeSingleWriter)),
        (&[ReadOnlyMany], true, Some(CsiAccessMode::MultiNodeReaderOnly)),
        (&[ReadWriteOnce, ReadWriteMany, ReadOnlyMany], false, Some(CsiAccessMode::MultiNodeMultiWriter)),
        (&[ReadOnlyMany, ReadWriteOnce], false, None),
        (&[ReadWriteOncePod, ReadWriteMany], false, None),
        (&[], false, None),
    ];
    for (modes, cap, want) in table {
        let mut reversed = modes.to_vec();
        reversed.reverse();
        assert_eq!(controller_access_mode(modes, cap).ok(), want, "{modes:?}");
        assert_eq!(controller_access_mode(&reversed, cap).ok(), want, "{reversed:?}");
    }
}
