package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"

	"wimz.dev/live/relay/cli"
)

const description = `The app's end of WIM-Z live video, without a phone.

    simapp watch --relay ws://127.0.0.1:8000 --email you@example.com --password-stdin < password
    simapp serve --relay ws://127.0.0.1:8000
    simapp send dispense_treat --relay ws://127.0.0.1:8000
    simapp events --relay ws://127.0.0.1:8000

The first shows figures of a robot's video in the terminal, the second serves a page
that shows the video itself, the third tells a robot what to do, the last shows what
robots tell.`

// grammar is the command line.
type grammar struct {
	Verbose bool             `short:"v" help:"Log what happens, and every step of WebRTC, to standard error."`
	Version kong.VersionFlag `help:"Print the version."`

	Login    loginCmd    `cmd:"" help:"Log in, for all the other commands."`
	Register registerCmd `cmd:"" help:"Open an account."`
	Logout   logoutCmd   `cmd:"" help:"Log out."`

	Watch  watchCmd  `cmd:"" help:"Watch a robot in the terminal and measure what comes."`
	Serve  serveCmd  `cmd:"" help:"Serve a page that shows a robot's video."`
	Load   loadCmd   `cmd:"" help:"Put a relay under load and measure it."`
	Pair   pairCmd   `cmd:"" help:"Become the owner of the robot that shows a code."`
	Unpair unpairCmd `cmd:"" help:"Give a robot up."`
	Send   sendCmd   `cmd:"" help:"Send a robot a command."`
	Events eventsCmd `cmd:"" help:"Show what robots tell."`
}

// app is what the commands share.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

// run is the whole program but for the process: it returns the exit status. It
// ends when the command does, or soon after ctx, which is how it is told to stop.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	program := cli.Program{Name: "simapp", Description: description, Stdout: stdout, Stderr: stderr}
	var g grammar
	command, status := program.Parse(&g, args)
	if command == nil {
		return status
	}
	level := slog.LevelWarn
	if g.Verbose {
		level = slog.LevelDebug
	}
	return program.Run(ctx, command, &app{
		stdin: stdin, stdout: stdout, stderr: stderr, log: cli.Logger(stderr, level, "text"),
	})
}
