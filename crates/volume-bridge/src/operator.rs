//! What an operator asks of the bridge that runs: which mount ids there are, and to forget one.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::docker;
use crate::flags::Endpoint;

/// Volume, mount id and count, a line each.
pub(crate) async fn list_mounts(endpoint: &Endpoint) -> anyhow::Result<()> {
    let answer = ask(endpoint, docker::MOUNTS, &json!({})).await?;
    let mut lines = String::new();
    for (volume, ids) in answer["Volumes"].as_object().context("the answer has no Volumes; is that longshore serve?")? {
        for (id, count) in ids.as_object().into_iter().flatten() {
            lines.push_str(&format!("{volume}\t{id}\t{count}\n"));
        }
    }
    say(&lines)
}

/// Says whether the id was known.
pub(crate) async fn forget_mount(endpoint: &Endpoint, volume: &str, id: &str) -> anyhow::Result<()> {
    let answer = ask(endpoint, docker::FORGET_MOUNT, &json!({"Name": volume, "ID": id})).await?;
    ensure!(answer["Known"] == true, "volume {volume} has no mount id {id}; --list-mounts tells those it has");
    say(&format!("{volume}/{id} is forgotten\n"))
}

/// A closed pipe is no reason to end differently.
fn say(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

async fn ask(endpoint: &Endpoint, path: &str, body: &Value) -> anyhow::Result<Value> {
    let Endpoint::Unix(socket) = endpoint else { bail!("operators ask over the unix socket; give it as --endpoint") };
    let answer = exchange(socket, path, &body.to_string()).await;
    let answer = answer.with_context(|| format!("longshore serve at {} cannot be asked; is it running?", socket.display()))?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let body: Value = serde_json::from_str(body).context("the answer is no JSON; is that longshore serve?")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Ok(body),
        _ => bail!("{}", body["Err"].as_str().unwrap_or("it refused")),
    }
}

/// One request of HTTP/1.1, whose answer ends with the connection.
async fn exchange(socket: &Path, path: &str, body: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    let request =
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
