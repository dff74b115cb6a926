//! Makes kubelet's registration calls acceptable to our HTTP/2 server.
//!
//! kubelet dials the registration socket by its path, and grpc-go then sends the escaped path as `:authority`. Go servers take it;
//! h2 refuses the call with PROTOCOL_ERROR, since it is no authority by RFC 3986. Nobody here reads the authority, so each request's
//! is replaced by `localhost` on its way in. Everything else passes as it came. Knows frames and header blocks, not gRPC.
//!
//! Spec: RFC 9113 chapters 3.4, 4.1 and 6.2 (frames), RFC 7541 (header blocks).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use loona_hpack::{Decoder, Encoder};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();
const FRAME_HEAD: usize = 9;
/// Until settings say otherwise, and ours do not. Also bounds what is held of one connection.
const LARGEST_FRAME: usize = 16_384;
const LARGEST_BLOCK: usize = 1 << 20;

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// A connection whose requests all have `localhost` as their authority.
pub(crate) struct Localhost<S> {
    inner: S,
    rewriter: Rewriter,
    /// Rewritten, not yet read.
    ready: Vec<u8>,
    taken: usize,
}

impl<S> Localhost<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, rewriter: Rewriter::default(), ready: Vec::new(), taken: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Localhost<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.taken < self.ready.len() {
                let some = &self.ready[self.taken..];
                let some = &some[..some.len().min(into.remaining())];
                into.put_slice(some);
                self.taken += some.len();
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; 4096];
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                // The end; half a frame is of no use to anybody.
                return Poll::Ready(Ok(()));
            }
            self.taken = 0;
            self.ready = self.rewriter.rewrite(buffer.filled())?;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Localhost<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S> Connected for Localhost<S> {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

/// One direction of one connection. Both header tables live as long as it does.
struct Rewriter {
    raw: Vec<u8>,
    preface: bool,
    decoder: Decoder<'static>,
    encoder: Encoder<'static>,
    /// A header block whose end has not come yet: what the first frame said, and the fragments so far.
    open: Option<(Head, Vec<u8>)>,
}

impl Default for Rewriter {
    fn default() -> Self {
        Self { raw: Vec::new(), preface: false, decoder: Decoder::new(), encoder: Encoder::new(), open: None }
    }
}

#[derive(Clone, Copy)]
struct Head {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Rewriter {
    /// Takes what came, gives what can go on. Errors end the connection.
    fn rewrite(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.raw.extend_from_slice(bytes);
        let mut out = Vec::new();
        let mut at = 0;
        if !self.preface {
            if self.raw.len() < PREFACE {
                return Ok(out);
            }
            out.extend_from_slice(&self.raw[..PREFACE]);
            at = PREFACE;
            self.preface = true;
        }
        while let Some(head) = Head::read(&self.raw[at..])? {
            let Some(frame) = self.raw.get(at..at + FRAME_HEAD + head.length) else { break };
            let payload = &frame[FRAME_HEAD..];
            match (head.kind, &mut self.open) {
                (HEADERS, None) => self.open = Some((head, fragment(head, payload)?.to_vec())),
                (CONTINUATION, Some((first, block))) if first.stream == head.stream => {
                    block.extend_from_slice(payload);
                    first.flags |= head.flags & END_HEADERS;
                    if block.len() > LARGEST_BLOCK {
                        return Err(broken("a header block of more than a megabyte"));
                    }
                }
                (HEADERS | CONTINUATION, _) | (_, Some(_)) => return Err(broken("a frame inside of another's header block")),
                (_, None) => out.extend_from_slice(frame),
            }
            at += FRAME_HEAD + head.length;
            if self.open.as_ref().is_some_and(|(first, _)| first.flags & END_HEADERS != 0)
                && let Some((first, block)) = self.open.take()
            {
                self.send(first, &block, &mut out)?;
            }
        }
        self.raw.drain(..at);
        Ok(out)
    }

    fn send(&mut self, first: Head, block: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let mut headers =
            self.decoder.decode(block).map_err(|error| broken(&format!("a header block that is none: {error:?}")))?;
        for (name, value) in &mut headers {
            if name == b":authority" {
                *value = b"localhost".to_vec();
            }
        }
        let block = self.encoder.encode(headers.iter().map(|(name, value)| (&**name, &**value)));
        let mut fragments = block.chunks(LARGEST_FRAME).peekable();
        let mut kind = HEADERS;
        while let Some(fragment) = fragments.next() {
            let end = if fragments.peek().is_none() { END_HEADERS } else { 0 };
            let stream_end = if kind == HEADERS { first.flags & END_STREAM } else { 0 };
            Head { length: fragment.len(), kind, flags: end | stream_end, stream: first.stream }.write(out);
            out.extend_from_slice(fragment);
            kind = CONTINUATION;
        }
        Ok(())
    }
}

impl Head {
    fn read(from: &[u8]) -> io::Result<Option<Self>> {
        let Some(head) = from.first_chunk::<FRAME_HEAD>() else { return Ok(None) };
        let [a, b, c, kind, flags, s @ ..] = *head;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > LARGEST_FRAME {
            return Err(broken("a frame that is larger than our settings allow"));
        }
        Ok(Some(Self { length, kind, flags, stream: u32::from_be_bytes(s) & 0x7fff_ffff }))
    }

    fn write(self, out: &mut Vec<u8>) {
        let [_, a, b, c] = (self.length as u32).to_be_bytes();
        out.extend_from_slice(&[a, b, c, self.kind, self.flags]);
        out.extend_from_slice(&self.stream.to_be_bytes());
    }
}

/// The header block fragment in a HEADERS frame: without padding and priority.
fn fragment(head: Head, payload: &[u8]) -> io::Result<&[u8]> {
    let mut rest = payload;
    let mut padding = 0;
    if head.flags & PADDED != 0 {
        let (first, after) = rest.split_first().ok_or_else(|| broken("a padded frame without its padding"))?;
        (padding, rest) = (usize::from(*first), after);
    }
    if head.flags & PRIORITY != 0 {
        rest = rest.get(5..).ok_or_else(|| broken("a priority that is cut off"))?;
    }
    let length = rest.len().checked_sub(padding).ok_or_else(|| broken("more padding than frame"))?;
    Ok(&rest[..length])
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("HTTP/2: {what}"))
}

#[cfg(test)]
mod tests;
