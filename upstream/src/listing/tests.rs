//! What listings say of small repositories.
