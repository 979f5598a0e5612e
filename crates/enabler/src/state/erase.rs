//! A person is forgotten: what was known of them goes at once.

use std::sync::Arc;

use vestibule_model::{Subject, UserId};

use super::State;

impl State {
    /// Drops what was known of a person. What they did stays, and their name in it is the store's to forget.
    ///
    /// Part by part, so that nobody adds one without deciding this.
    pub(crate) fn erase(&mut self, user: &UserId) {
        let Self {
            rules,
            devices,
            users,
            delegated,
            permissions,
            // Says nothing of anybody.
            token_key: _,
            reserved: _,
            twins: _,
            open: _,
            wishes: _,
            objects: _,
            forget: _,
            census: _,
            directory: _,
            // Of tokens there are only ids here, which stay void.
            revoked: _,
            // Whose systems are is known by certificates, which are nobody's from now on.
            systems: _,
            owned: _,
            // What they did. Commands under way are waited for; leases end, since nobody is left who may have them.
            commands: _,
            leases: _,
        } = self;
        Arc::make_mut(users).remove(user);
        Arc::make_mut(devices).retain(|_, device| device.user != *user);
        Arc::make_mut(rules).retain(|_, rule| rule.who != Subject::User(user.clone()));
        Arc::make_mut(delegated).retain(|_, token| token.by != *user);
        let told = permissions.iter().filter(|(_, users)| users.contains_key(user));
        let told: Vec<_> = told.map(|(twin, users)| (twin.clone(), users.clone())).collect();
        for (twin, mut users) in told {
            Arc::make_mut(&mut users).remove(user);
            if users.is_empty() {
                permissions.remove(&twin);
            } else {
                permissions.insert(twin, users);
            }
        }
    }
}
