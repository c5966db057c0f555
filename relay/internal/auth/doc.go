// Package auth says who somebody is: people by email and password, apps by token,
// robots by signature. What they may do is decided elsewhere.
//
// A refusal is always the same [ErrUnauthenticated], whatever its cause, and takes
// the same time, so that nobody can ask which accounts and devices exist. [Cause]
// tells the log why. Neither carries a password, token or computed signature.
package auth
