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
            agreements,
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
            // Of calls and of what systems may let them do, below.
            calls: _,
            open_calls: _,
            forget_calls: _,
            calls_by_user: _,
            whole_calls: _,
            // Of purchases and products, below.
            purchases: _,
            open_purchases: _,
            by_session: _,
            purchases_by_user: _,
            forget_purchases: _,
            products: _,
            product_twins: _,
            permissions: _,
            salt: _,
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
        let agreed = agreements.iter().filter(|(_, agreement)| agreement.user == *user);
        let agreed: Vec<_> = agreed.map(|(key, _)| key.clone()).collect();
        for key in agreed {
            agreements.remove(&key);
        }
        self.drop_permissions(user);
        self.orphan_calls(user);
        self.orphan_purchases(user);
        self.drop_products(user);
    }
}
