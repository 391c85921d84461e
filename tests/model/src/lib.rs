//! The machine, the guard and an adversary, checked exhaustively.
