"""Protocols, the courses that apply them to patients, and the slots that say when the next dose is due."""
