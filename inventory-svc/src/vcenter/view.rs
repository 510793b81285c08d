//! Container views: all objects of some types below a folder, kept by vCenter for as long as the view lives.

use super::{
    Client, Error,
    property_collector::ObjectProperties,
    property_spec::{Properties, Start, Step},
};
use crate::soap::Request;

impl Client {
    /// Reads properties of every object of the types below the root folder, and what further steps lead to.
    ///
    /// # Errors
    /// The call failed.
    pub async fn retrieve_all(
        &self,
        types: &[&str],
        properties: &[Properties],
        steps: Vec<Step>,
        object: &str,
    ) -> Result<Vec<ObjectProperties>, Error> {
        let content = self.content().await?;
        let manager = self.manager(content.view_manager.as_ref(), "view manager")?;
        let root = self.manager(content.root_folder.as_ref(), "root folder")?;
        let create = Request::with("CreateContainerView", &manager, |body| {
            body.moref("container", &root);
            for kind in types {
                body.text("type", kind);
            }
            body.flag("recursive", true);
        });
        let view = self.call_for_ref(&create, object).await?;
        let members = Step::along("ContainerView", "view").then(steps);
        let start = Start { object: view.clone(), skip: true, steps: vec![members] };
        let found = self.retrieve(properties, &[start], object).await;
        // The session's end would take it too; what the removal answers changes nothing.
        if let Err(error) = self.call(&Request::new("DestroyView", &view), object).await {
            tracing::debug!(vcenter = self.name(), %error, "a view was not removed");
        }
        found
    }
}
