package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"wimz.dev/live/relay/internal/config"
	"wimz.dev/live/relay/internal/store/sqlstore"
)

// grammar is the command line.
type grammar struct {
	config.Flags `embed:"" group:"settings"`

	EnvFile string           `placeholder:"FILE" help:"Read settings from this file. Default: .env in the working directory, if there is one."`
	Version kong.VersionFlag `help:"Print the version."`

	Serve  serveCmd  `cmd:"" help:"Run the relay."`
	Health healthCmd `cmd:"" help:"Ask the relay on this machine whether it serves."`
	User   struct {
		Add      userAddCmd      `cmd:"" help:"Add an account."`
		List     userListCmd     `cmd:"" help:"List the accounts."`
		Disable  userDisableCmd  `cmd:"" help:"Shut an account and log its user out everywhere."`
		Enable   userEnableCmd   `cmd:"" help:"Open a disabled account again."`
		Password userPasswordCmd `cmd:"" help:"Set a password and log the user out everywhere."`
		Remove   userRemoveCmd   `cmd:"" help:"Remove an account."`
	} `cmd:"" help:"Manage accounts."`
	Device struct {
		Add      deviceAddCmd      `cmd:"" help:"Add a robot and print its configuration."`
		List     deviceListCmd     `cmd:"" help:"List the robots and who owns them."`
		Remove   deviceRemoveCmd   `cmd:"" help:"Remove a robot."`
		Transfer deviceTransferCmd `cmd:"" help:"Give a robot to another account, or to nobody."`
		Secret   struct {
			Add  secretAddCmd  `cmd:"" help:"Give a robot a second secret and print its new configuration."`
			Drop secretDropCmd `cmd:"" help:"Make the older of two secrets useless."`
		} `cmd:"" help:"Change the secret a robot connects with, without a gap."`
	} `cmd:"" help:"Manage robots."`
	Token   tokenCmd   `cmd:"" help:"Print a token for an account."`
	Backup  backupCmd  `cmd:"" help:"Copy the SQLite database, also while the relay runs."`
	Restore restoreCmd `cmd:"" help:"Put a backup in the place of the SQLite database."`
	Config  struct {
		Check configCheckCmd `cmd:"" help:"Print the settings in force, or everything that is wrong with them."`
	} `cmd:"" help:"Look at the configuration."`
}

// app is what the commands share.
type app struct {
	cfg      config.Config
	problems error // with reading the configuration; see [app.check]
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	ask      askFunc // for passwords; nil without a terminal
	confirm  askFunc // likewise
}

// run is the whole program but for the process: it returns the exit status. It
// ends when the command does, or soon after ctx, which is how it is told to stop.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	program := newProgram(stdout, stderr)
	var g grammar
	command, status := program.Parse(&g, args)
	if command == nil {
		return status
	}
	env, err := config.Environment(environ, g.EnvFile)
	if err != nil {
		return program.Fail(err)
	}
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	a.ask, a.confirm = terminal(stdin, stderr)
	a.cfg, a.problems = g.Complete(command, env)
	return program.Run(ctx, command, a)
}

// check joins the problems with reading the configuration and those the command
// has found with the parts it needs.
func (a *app) check(more ...error) error {
	return errors.Join(append([]error{a.problems}, more...)...)
}

// change does something with the database open, and prints what.
func (a *app) change(ctx context.Context, do func(*sqlstore.DB) (done string, err error)) error {
	return a.withStore(ctx, func(db *sqlstore.DB) error {
		done, err := do(db)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.stdout, done)
		return err
	})
}

// withStore runs do with the database open.
func (a *app) withStore(ctx context.Context, do func(*sqlstore.DB) error) error {
	if err := a.check(a.cfg.DatabaseURL.Check()); err != nil {
		return err
	}
	db, err := sqlstore.Open(ctx, a.cfg.DatabaseURL)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}
