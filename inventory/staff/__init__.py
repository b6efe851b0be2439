"""The people of the clinic: who they are, what they may do, and how they prove it is them."""
