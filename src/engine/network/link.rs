//! Links, addresses and routes of the calling thread's network namespace, by rtnetlink. Blocking.
//!
//! What they are for (bridge, pods) is in `builtin`; firewall rules are in `nft`.

use std::{
    net::Ipv4Addr,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use futures::TryStreamExt;
use rtnetlink::{
    Handle, LinkBridge, LinkBridgePort, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder,
    packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage},
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// The group of interfaces that are going to be deleted, a number that nobody else uses: "whrf".
const ENDED: u32 = 0x7768_7266;

/// A netlink socket, bound to the namespace of the thread that opened it.
pub(super) struct Links {
    runtime: Runtime,
    handle: Handle,
}

impl Links {
    /// Not from async code: it drives the socket itself.
    pub(super) fn open() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build().context(|| "start a runtime".to_owned())?;
        let handle = {
            let _entered = runtime.enter();
            let (connection, handle, _) = rtnetlink::new_connection().context(|| "open a netlink socket".to_owned())?;
            runtime.spawn(connection);
            handle
        };
        Ok(Self { runtime, handle })
    }

    fn find(&self, name: &str) -> Result<Option<LinkMessage>> {
        let found = self.handle.link().get().match_name(name.to_owned()).execute();
        match self.runtime.block_on(async { std::pin::pin!(found).try_next().await }) {
            Ok(link) => Ok(link),
            Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(fault(error, format!("look up interface {name}"))),
        }
    }

    /// `None` if there is no such interface.
    pub(super) fn index(&self, name: &str) -> Result<Option<u32>> {
        Ok(self.find(name)?.map(|link| link.header.index))
    }

    fn need(&self, name: &str) -> Result<u32> {
        match self.index(name)? {
            Some(index) => Ok(index),
            None => bail!(NotFound, "there is no interface {name}"),
        }
    }

    pub(super) fn is_up(&self, name: &str) -> Result<bool> {
        Ok(self.find(name)?.is_some_and(|link| link.header.flags.contains(LinkFlags::Up)))
    }

    /// The interface that `name` is a port of.
    pub(super) fn controller(&self, name: &str) -> Result<Option<u32>> {
        let attributes = self.find(name)?.map(|link| link.attributes).unwrap_or_default();
        Ok(attributes.into_iter().find_map(|a| match a {
            LinkAttribute::Controller(index) => Some(index),
            _ => None,
        }))
    }

    /// A bridge of that name, made if there is none. Another kind of interface of that name is an error.
    pub(super) fn bridge(&self, name: &str, address: [u8; 6]) -> Result<u32> {
        if let Some(link) = self.find(name)? {
            let is_bridge = link
                .attributes
                .iter()
                .any(|a| matches!(a, LinkAttribute::LinkInfo(i) if i.contains(&LinkInfo::Kind(InfoKind::Bridge))));
            if !is_bridge {
                bail!(FailedPrecondition, "interface {name} exists and is not a bridge");
            }
            return Ok(link.header.index);
        }
        // A bridge whose address was set keeps it; else it changes with every port.
        let message = LinkBridge::new(name).address(address.to_vec()).build();
        self.runtime
            .block_on(self.handle.link().add(message).execute())
            .map_err(|e| fault(e, format!("make bridge {name}")))?;
        self.need(name)
    }

    /// A veth pair, both ends down: `name` here, `peer` in `namespace`.
    pub(super) fn veth(
        &self,
        name: &str,
        peer: &str,
        address: [u8; 6],
        mtu: Option<u32>,
        namespace: BorrowedFd<'_>,
    ) -> Result<()> {
        let mut far =
            LinkUnspec::new_with_name(peer).address(address.to_vec()).setns_by_fd(namespace.as_fd().as_raw_fd());
        let mut near = LinkMessageBuilder::<LinkVeth>::new_with_info_kind(InfoKind::Veth).name(name.to_owned());
        if let Some(mtu) = mtu {
            far = far.mtu(mtu);
            near = near.mtu(mtu);
        }
        let message = near.set_info_data(InfoData::Veth(InfoVeth::Peer(far.build()))).build();
        self.runtime
            .block_on(self.handle.link().add(message).execute())
            .map_err(|e| fault(e, format!("make veth pair {name} and {peer}")))
    }

    /// Makes `name` a port of `bridge` which may send a frame back where it came from.
    pub(super) fn port(&self, name: &str, bridge: u32) -> Result<()> {
        let index = self.need(name)?;
        let join = LinkUnspec::new_with_index(index).controller(bridge).build();
        let hairpin = LinkBridgePort::new(index).hairpin(true).build();
        self.runtime
            .block_on(async {
                self.handle.link().set(join).execute().await?;
                self.handle.link().set_port(hairpin).execute().await
            })
            .map_err(|e| fault(e, format!("make {name} a port of the bridge")))
    }

    pub(super) fn up(&self, name: &str) -> Result<()> {
        let message = LinkUnspec::new_with_index(self.need(name)?).up().build();
        self.runtime
            .block_on(self.handle.link().set(message).execute())
            .map_err(|e| fault(e, format!("bring interface {name} up")))
    }

    /// Fine if the interface is gone.
    pub(super) fn delete(&self, name: &str) -> Result<()> {
        let Some(index) = self.index(name)? else { return Ok(()) };
        match self.runtime.block_on(self.handle.link().del(index).execute()) {
            Err(error) if errno(&error) != Some(libc::ENODEV) => Err(fault(error, format!("delete interface {name}"))),
            _ => Ok(()),
        }
    }

    /// All of these at once: the kernel stands still as long for many as for one. Those that are gone are fine.
    pub(super) fn delete_all(&self, names: impl Iterator<Item = String>) -> Result<()> {
        for name in names {
            let Some(index) = self.index(&name)? else { continue };
            let put = LinkUnspec::new_with_index(index).link_group(ENDED).build();
            match self.runtime.block_on(self.handle.link().set(put).execute()) {
                Err(error) if errno(&error) != Some(libc::ENODEV) => {
                    return Err(fault(error, format!("put interface {name} to those that go")));
                }
                _ => {}
            }
        }
        let mut delete = self.handle.link().del(0);
        delete.message_mut().attributes.push(LinkAttribute::Group(ENDED));
        match self.runtime.block_on(delete.execute()) {
            Err(error) if errno(&error) != Some(libc::ENODEV) => {
                Err(fault(error, "delete the interfaces of ended pods".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Fine if it has the address already.
    pub(super) fn address(&self, name: &str, address: Ipv4Addr, prefix: u8) -> Result<()> {
        let index = self.need(name)?;
        match self.runtime.block_on(self.handle.address().add(index, address.into(), prefix).execute()) {
            Err(error) if errno(&error) != Some(libc::EEXIST) => {
                Err(fault(error, format!("give interface {name} address {address}/{prefix}")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn has_address(&self, name: &str, address: Ipv4Addr) -> Result<bool> {
        let index = self.need(name)?;
        let found =
            self.handle.address().get().set_link_index_filter(index).set_address_filter(address.into()).execute();
        let first = self.runtime.block_on(async { std::pin::pin!(found).try_next().await });
        Ok(first.map_err(|e| fault(e, format!("list addresses of interface {name}")))?.is_some())
    }

    pub(super) fn default_route(&self, gateway: Ipv4Addr) -> Result<()> {
        let route = RouteMessageBuilder::<Ipv4Addr>::new().gateway(gateway).build();
        self.runtime
            .block_on(self.handle.route().add(route).execute())
            .map_err(|e| fault(e, format!("add the default route by {gateway}")))
    }
}

fn errno(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io().raw_os_error(),
        _ => None,
    }
}

fn fault(error: rtnetlink::Error, doing: String) -> Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => match Err::<(), _>(message.to_io()).context(|| doing) {
            Err(error) => error,
            Ok(()) => Error::new(Kind::Internal, "netlink"),
        },
        other => Error::new(Kind::Internal, doing).with_source(other),
    }
}
