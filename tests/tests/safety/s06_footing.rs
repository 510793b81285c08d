//! S6: the VMs that Strata stands on are recognised, without anybody naming them: they are never reverted and never frozen.

use super::{BLOCK, done, refused};
use async_trait::async_trait;
use std::{io, net::IpAddr, sync::Arc};
use strata_inventory_svc::footing::{Footing, Machine, Names};
use strata_proto::strata::{
    common::v1::Grade,
    gateway::v1::{self as pb, CreateSnapshotRequest},
};
use strata_sim::world::compute::{Vcenter, VmSpec, vm::Vm};
use strata_tests::house::{ArrayKind, House};

const ADDRESS: &str = "198.51.100.77";

/// The name in the url of the house's vCenter, and nothing else.
#[derive(Debug)]
struct OneName;

#[async_trait]
impl Names for OneName {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match host {
            "vc-1.example" => Ok(vec![ADDRESS.parse().map_err(io::Error::other)?]),
            other => Err(io::Error::other(format!("nobody is called {other}"))),
        }
    }
}

fn machine(vcenter: &Vcenter, identity: fn(&Vm, &mut Machine)) -> Footing {
    let mut machine = Machine::default();
    vcenter.with(|state| identity(state.vms.values().find(|vm| vm.config.name == "base").expect("it"), &mut machine));
    Footing { machine: Arc::new(machine), names: None }
}

fn by_address(_: &Vcenter) -> Footing {
    Footing { names: Some(Arc::new(OneName)), ..Footing::default() }
}

fn by_uuid(vcenter: &Vcenter) -> Footing {
    machine(vcenter, |vm, machine| {
        machine.bios_uuids.insert(vm.config.uuid.parse().expect("a uuid"));
    })
}

fn by_mac_address(vcenter: &Vcenter) -> Footing {
    machine(vcenter, |vm, machine| machine.mac_addresses.extend(vm.nics().map(|nic| nic.mac.clone())))
}

fn base() -> VmSpec {
    VmSpec::named("base").on()
}

#[tokio::test]
async fn s06_what_strata_stands_on_is_neither_frozen_nor_reverted() -> anyhow::Result<()> {
    for (spec, footing, evidence) in [
        (VmSpec { guest_address: ADDRESS.into(), ..base() }, by_address as fn(&Vcenter) -> Footing, ADDRESS),
        (VmSpec::named("VC-1.example").on(), |_| Footing::default(), "VC-1.example"),
        (base(), by_uuid, "BIOS uuid"),
        // It may be off: the uuid is the configuration's.
        (VmSpec::named("base"), by_uuid, "BIOS uuid"),
        (base(), by_mac_address, "00:50:56"),
    ] {
        let name = spec.name.clone();
        let house = House::builder().array(ArrayKind::Reference).vm(spec).footing(footing).start().await?;
        let before = house.picture().await?;
        for grade in [Grade::Vm, Grade::App] {
            let wish = |request: &mut CreateSnapshotRequest| {
                request.grade = grade.into();
                request.allow_weaker = true;
            };
            refused(
                house.snapshot(&name, wish).await?,
                "VM_PROTECTED",
                &[&name, evidence, "runs in it", "--grade crash"],
            )?;
        }
        before.expect_same(&house.picture().await?)?;

        // Without a freeze it can be snapshotted, and cloned.
        house.write(&name, &[1; BLOCK])?;
        let snapshot = done(house.snapshot(&name, |_| {}).await?)?;
        house.write(&name, &[2; BLOCK])?;
        let clone = done(house.clone_of(&snapshot.name, "copy", |_| {}).await?)?;
        assert_eq!(house.read("copy", BLOCK)?, [1; BLOCK]);
        let before = house.picture().await?;
        let off = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::PowerOff.into();
        refused(
            house.revert(&name, &snapshot.name, off).await?,
            "VM_PROTECTED",
            &[&name, evidence, "strata clone create"],
        )?;
        before.expect_same(&house.picture().await?)?;
        done(house.delete_clone(&clone.name, false).await?)?;
        house.check().await?;
    }
    Ok(())
}

#[tokio::test]
async fn s06_others_are_not_taken_for_it() -> anyhow::Result<()> {
    for footing in [by_address as fn(&Vcenter) -> Footing, by_uuid, by_mac_address, |_| Footing::default()] {
        let base = VmSpec { guest_address: ADDRESS.into(), ..base() };
        let house = House::builder()
            .array(ArrayKind::Reference)
            .vm(base)
            .vm(VmSpec::named("web-01").on())
            .footing(footing)
            .start()
            .await?;
        let snapshot = done(house.snapshot("web-01", |request| request.grade = Grade::Vm.into()).await?)?;
        let off = |request: &mut pb::RevertVmRequest| request.power_mode = pb::PowerMode::PowerOff.into();
        done(house.revert("web-01", &snapshot.name, off).await?)?;
        house.check().await?;
    }
    Ok(())
}
