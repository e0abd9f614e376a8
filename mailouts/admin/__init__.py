"""The staff pages of mailouts. Campaigns have pages of their own; the disabled addresses are a plain record."""
