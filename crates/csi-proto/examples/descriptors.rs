//! Writes the compiled descriptors of proto/ to stdout, for hack/wire-identity.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    io::stdout().lock().write_all(csi_proto::FILE_DESCRIPTOR_SET)
}
