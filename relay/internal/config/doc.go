// Package config is the relay's configuration: one struct whose tags are at the
// same time the command-line flags, the environment variables, the defaults and
// the help text.
//
// A program reads it in five steps, each a call:
//
//	parser := kong.New(&cli, config.Options()...)    // cli embeds Flags
//	config.OwnEnvironment(parser)                    // keep kong away from os.Environ
//	parsed := parser.Parse(args)                     // flags and defaults
//	env := config.Environment(os.Environ(), envFile) // environment over .env
//	cfg := cli.Flags.Complete(parsed, env)           // what no flag has set
//
// and then calls [Config.Validate]. So flags win over the environment, that over
// the .env file, and that over the defaults. An empty variable is the same as
// none. Secrets have no flag, because a flag can be read in the process list,
// and no default; no error and no output of this package repeats one.
package config
