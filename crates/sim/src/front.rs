//! The listener in front of rumqttd: hands every connection on to it, without waiting.
//!
//! rumqttd leaves Nagle's algorithm on, so that a message that follows an acknowledgement waits for
//! the client's delayed TCP acknowledgement: some 45 ms from a command to its state, measured. The
//! sockets are rumqttd's own, but whether it must wait is up to its peer: this relay acknowledges
//! at once and does not delay what it passes on. Measured with it: under 2 ms.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Bytes read at once from the broker.
const CHUNK: usize = 16 * 1024;

/// Accepts for ever, `at_most` connections at once; further ones are closed at once.
pub(crate) async fn accept(front: TcpListener, broker: SocketAddr, at_most: usize) {
    let places = Arc::new(Semaphore::new(at_most));
    loop {
        let Ok((outer, _)) = front.accept().await else {
            // Out of descriptors, most likely: they come back.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        tokio::spawn(async move {
            if let Err(error) = relay(outer, broker).await {
                tracing::debug!(%error, "a relayed connection ended");
            }
            drop(place);
        });
    }
}

/// Passes bytes both ways until either side closes, then closes both.
async fn relay(mut outer: TcpStream, broker: SocketAddr) -> io::Result<()> {
    let mut inner = TcpStream::connect(broker).await?;
    outer.set_nodelay(true)?;
    inner.set_nodelay(true)?;
    let (mut from_client, mut to_client) = outer.split();
    let (from_broker, mut to_broker) = inner.split();
    let up = tokio::io::copy(&mut from_client, &mut to_broker);
    let down = async {
        let mut chunk = vec![0; CHUNK];
        loop {
            from_broker.readable().await?;
            let read = match from_broker.try_read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            // Not a lasting setting: it also sends the acknowledgement that is due.
            #[cfg(target_os = "linux")]
            from_broker.as_ref().set_quickack(true)?;
            to_client.write_all(&chunk[..read]).await?;
        }
    };
    tokio::select! {
        up = up => up.map(|_| ()),
        down = down => down,
    }
}
