use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What somebody between does.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    Pass,
    /// Every answer comes twice.
    Twice,
    /// Requests arrive whole, and nothing of an answer comes back.
    Cut,
}

/// Somebody between a merchant and whoever asks it.
pub struct Proxy {
    pub address: SocketAddr,
    mode: Arc<AtomicU8>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, mode) = (listener.local_addr().unwrap(), Arc::new(AtomicU8::new(Mode::Pass as u8)));
        let of_task = mode.clone();
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target, of_task.clone()));
            }
        });
        Self { address, mode, task }
    }

    pub fn set(&self, mode: Mode) {
        self.setter(mode)();
    }

    pub fn setter(&self, mode: Mode) -> impl Fn() + Send + Sync + 'static {
        let of_task = self.mode.clone();
        move || of_task.store(mode as u8, Ordering::SeqCst)
    }
}

async fn carry(near: TcpStream, target: SocketAddr, mode: Arc<AtomicU8>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    let ((mut near_read, mut near_write), (mut far_read, mut far_write)) = (near.into_split(), far.into_split());
    let up = tokio::spawn(async move { tokio::io::copy(&mut near_read, &mut far_write).await });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = far_read.read(&mut buffer).await {
        let mode = mode.load(Ordering::SeqCst);
        if mode == Mode::Cut as u8 {
            break;
        }
        let times = if mode == Mode::Twice as u8 { 2 } else { 1 };
        if near_write.write_all(&buffer[..length].repeat(times)).await.is_err() {
            break;
        }
    }
    up.abort();
}
