"""The migrations in order; each is frozen once released, so none of them imports `graphitepager.store.tables`."""
