//! Whether anything can draw, asked before Bevy asks and gives up.

use std::sync::OnceLock;

use bevy::{render::settings::Backends, tasks::block_on};
use wgpu::{DeviceType, Instance, InstanceDescriptor};

use super::ClientError;

fn adapters() -> &'static [DeviceType] {
    static FOUND: OnceLock<Vec<DeviceType>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut descriptor = InstanceDescriptor::new_without_display_handle();
        descriptor.backends = Backends::PRIMARY;
        let instance = Instance::new(descriptor);
        let found = block_on(instance.enumerate_adapters(Backends::PRIMARY));
        found.iter().map(|adapter| adapter.get_info().device_type).collect()
    })
}

/// Whether there is something to draw with.
pub(super) fn check() -> Result<(), ClientError> {
    if adapters().is_empty() { Err(ClientError::NoGpu) } else { Ok(()) }
}

/// Whether all there is to draw with is the processor.
pub(super) fn is_software() -> bool {
    adapters().iter().all(|kind| *kind == DeviceType::Cpu)
}
