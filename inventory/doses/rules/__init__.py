"""Pure decisions about a dose: what the gate finds, from which containers it comes, which site is next."""
