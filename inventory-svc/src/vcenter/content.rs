//! The service's content: which managers a vCenter has, and who it is.

use crate::soap::{Element, MoRef};

/// What RetrieveServiceContent tells. A manager that a standalone ESXi lacks is `None`.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Root of the inventory.
    pub root_folder: Option<MoRef>,
    /// The default property collector.
    pub property_collector: Option<MoRef>,
    /// Makes views.
    pub view_manager: Option<MoRef>,
    /// Logs in and out.
    pub session_manager: Option<MoRef>,
    /// Answers questions about privileges.
    pub authorization_manager: Option<MoRef>,
    /// Finds by uuid and path.
    pub search_index: Option<MoRef>,
    /// Moves and deletes files.
    pub file_manager: Option<MoRef>,
    /// Moves disks.
    pub virtual_disk_manager: Option<MoRef>,
    /// `VMware vCenter Server`.
    pub product: String,
    /// `8.0.3`.
    pub version: String,
    /// `VirtualCenter` or `HostAgent`.
    pub api_type: String,
    /// vCenter's own identity; empty on a standalone ESXi.
    pub instance_uuid: String,
}

impl Content {
    /// From the `returnval` of RetrieveServiceContent.
    pub fn from_element(value: &Element) -> Self {
        let text = |path: &str| value.text_at(path).unwrap_or_default().to_owned();
        Self {
            root_folder: value.moref_at("rootFolder"),
            property_collector: value.moref_at("propertyCollector"),
            view_manager: value.moref_at("viewManager"),
            session_manager: value.moref_at("sessionManager"),
            authorization_manager: value.moref_at("authorizationManager"),
            search_index: value.moref_at("searchIndex"),
            file_manager: value.moref_at("fileManager"),
            virtual_disk_manager: value.moref_at("virtualDiskManager"),
            product: text("about.name"),
            version: text("about.version"),
            api_type: text("about.apiType"),
            instance_uuid: text("about.instanceUuid"),
        }
    }
}
