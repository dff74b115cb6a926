//! proto/*.proto -> Rust, without protoc. Besides the types: the descriptors, the list of secret fields, and a `Debug` for every
//! message with a secret, because the one prost derives would print it.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

/// The option in csi.proto that marks a field as secret.
const CSI_SECRET: &str = "csi.v1.csi_secret";

struct Field {
    name: String,
    secret: bool,
}

struct Message {
    full_name: String,
    rust_path: String,
    fields: Vec<Field>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(["csi.proto", "pluginregistration.proto"])?;

    let messages = messages_with_secrets(&compiler)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("secrets.rs"), secrets_rs(&messages)?)?;

    // json::render finds a message's descriptor by its name.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .btree_map(".")
        .skip_debug(messages.iter().map(|m| m.full_name.as_str()))
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;

    // Encoded by protox, because prost-types would lose the extension options. Nobody needs the comments at run time.
    compiler.include_source_info(false);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    Ok(())
}

fn messages_with_secrets(compiler: &protox::Compiler) -> Result<Vec<Message>, Box<dyn Error>> {
    let pool = compiler.descriptor_pool();
    let csi_secret = pool.get_extension_by_name(CSI_SECRET).ok_or("csi.proto no longer defines csi_secret")?;
    let mut found = Vec::new();
    for message in pool.all_messages() {
        let fields: Vec<Field> = message
            .fields()
            .map(|f| Field { name: f.name().to_owned(), secret: f.options().get_extension(&csi_secret).as_bool() == Some(true) })
            .collect();
        if !fields.iter().any(|f| f.secret) {
            continue;
        }
        if message.parent_message().is_some() || message.oneofs().any(|o| !o.is_synthetic()) {
            return Err(
                format!("{}: a nested message, or one with a oneof, got a secret: teach build.rs", message.full_name()).into()
            );
        }
        found.push(Message {
            full_name: message.full_name().to_owned(),
            rust_path: message.full_name().replace('.', "::"),
            fields,
        });
    }
    found.sort_by(|a, b| a.full_name.cmp(&b.full_name));
    Ok(found)
}

fn secrets_rs(messages: &[Message]) -> Result<String, std::fmt::Error> {
    let mut out = String::from(
        "/// Every field marked `csi_secret`: (full message name, field name), sorted.\n\
         pub const SECRET_FIELDS: &[(&str, &str)] = &[\n",
    );
    let mut secrets: Vec<(&str, &str)> = messages
        .iter()
        .flat_map(|m| m.fields.iter().filter(|f| f.secret).map(|f| (m.full_name.as_str(), f.name.as_str())))
        .collect();
    secrets.sort_unstable();
    for secret in secrets {
        writeln!(out, "    {secret:?},")?;
    }
    out.push_str("];\n");
    for m in messages {
        let short = m.full_name.rsplit('.').next().unwrap_or(&m.full_name);
        writeln!(out, "impl ::core::fmt::Debug for {} {{", m.rust_path)?;
        writeln!(out, "    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{")?;
        writeln!(out, "        f.debug_struct({short:?})")?;
        for f in &m.fields {
            if f.secret {
                writeln!(out, "            .field({:?}, &format_args!(\"{{}}\", json::STRIPPED))", f.name)?;
            } else {
                writeln!(out, "            .field({:?}, &self.{})", f.name, f.name)?;
            }
        }
        writeln!(out, "            .finish()\n    }}\n}}")?;
    }
    Ok(out)
}
