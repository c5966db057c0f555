// Package cli is what the command lines of all programs have in common: how
// they are parsed, end, log, tell their version and say where they listen.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	ExitOK     = 0
	ExitFailed = 1 // the command could not do its work
	ExitUsage  = 2 // the command line makes no sense
)

// Main runs a program until it ends and exits with its status. SIGINT, SIGTERM and
// the loss of its terminal (SIGHUP) end the context; a second SIGINT or SIGTERM ends
// the program at once.
func Main(run func(ctx context.Context) (status int)) {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, func() {
		signal.Ignore(syscall.SIGHUP) // the shell says it and the kernel, too
		stop()
	})
	os.Exit(run(ctx)) //nolint:forbidigo // the one place where a program exits
}

// Program describes a command line for its help.
type Program struct {
	Name        string
	Description string // with examples
	Stdout      io.Writer
	Stderr      io.Writer
	Options     []kong.Option    // beside the usual ones
	Prepare     func(*kong.Kong) // called with the parser before it parses; may be nil
	Status      func(error) int  // the exit status of a command's error; nil: ExitFailed for all
}

// Parse reads arguments into a grammar, a pointer to a struct with kong tags. A
// nil command means that nothing is left to be done but to exit with status:
// help or version were asked for, or standard error says what is wrong.
func (p Program) Parse(grammar any, args []string) (command *kong.Context, status int) {
	var printed bool // --help or --version has done its work
	parser, err := kong.New(grammar, append([]kong.Option{
		kong.Name(p.Name),
		kong.Description(p.Description),
		kong.Vars{"version": Version()},
		kong.Writers(p.Stdout, p.Stderr),
		kong.Exit(func(int) { printed = true }),
		kong.ConfigureHelp(kong.HelpOptions{NoAppDescFormat: true, WrapUpperBound: 100}),
	}, p.Options...)...)
	if err != nil {
		return nil, p.Fail(err)
	}
	if p.Prepare != nil {
		p.Prepare(parser)
	}
	command, err = parser.Parse(args)
	switch {
	case printed:
		return nil, ExitOK
	case err != nil:
		_ = p.Fail(fmt.Errorf("%w (see %s --help)", err, p.named(err)))
		return nil, ExitUsage
	default:
		return command, ExitOK
	}
}

// named returns the command that an error of the parser is about, or the program.
func (p Program) named(err error) string {
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok && wrong.Context.Selected() != nil {
		return wrong.Context.Selected().FullPath()
	}
	return p.Name
}

// Run runs a parsed command, whose Run method may take a context and the given
// values, and returns the exit status.
func (p Program) Run(ctx context.Context, command *kong.Context, values ...any) (status int) {
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(values...); err != nil {
		return p.Fail(err)
	}
	return ExitOK
}

// Fail prints one line for each joined error and returns the exit status.
func (p Program) Fail(err error) (status int) {
	for line := range strings.Lines(err.Error()) {
		_, _ = fmt.Fprintf(p.Stderr, "%s: %s\n", p.Name, strings.TrimSuffix(line, "\n"))
	}
	if p.Status != nil {
		return p.Status(err)
	}
	return ExitFailed
}

// version is set by the linker, in the Makefile's builds.
var version string

// Version is what the program was built as, or else what the go command knows of the
// source: a tag, or the time and revision of a commit.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Logger returns a logger of the given form, "text" or "json".
func Logger(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
