"""The ways by which a notice leaves the portal: mail, and the group robots of authorities."""
