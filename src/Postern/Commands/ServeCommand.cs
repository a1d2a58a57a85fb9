using System.CommandLine;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting;
using Postern.Hosting.Certificates;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Machine;
using Postern.Relay.Accounts;
using Postern.Smtp.Transport;

namespace Postern.Commands;

/// <summary>
/// <c>postern serve</c>: runs until SIGTERM or SIGINT stops it; SIGHUP reads the configuration and its files again. What it says about
/// itself goes to standard error, so that standard output holds the events alone.
/// </summary>
internal static class ServeCommand
{
    private const int FirstUnprivilegedPort = 1024;

    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "serve",
            "Run the server until it is told to stop; events go to standard output",
            "postern serve",
            "postern serve --config /etc/postern/postern.yaml");
        command.SetAction((arguments, ct) =>
        {
            if ((OtherSystem.WhyNotServe() ?? OpenFileLimit.WhyNot()) is { } few)
                return Task.FromResult(context.Terminal.Fail(few.What, few.Todo));
            _ = Task.Run(ReadTrustStore, ct);
            return context.ReadConfiguration(arguments) is { } configuration
                ? RunAsync(context, configuration, arguments.GetValue(context.ConfigFile), ct)
                : Task.FromResult(ExitCode.Usage);
        });
        return command;
    }

    /// <summary>
    /// The first use of a certificate reads every root certificate of the system, a third of the time to the first greeting. It is kept by
    /// the runtime; so it is read here, while the configuration is.
    /// </summary>
    private static void ReadTrustStore()
    {
        try
        {
            using var roots = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
            foreach (var root in roots.Certificates)
                root.Dispose();
        }
        catch (CryptographicException)
        {
            // Whoever needs it will meet the same problem, and say so.
        }
    }

    private static async Task<int> RunAsync(CommandContext context, PosternConfiguration configuration, string? asked, CancellationToken ct)
    {
        var terminal = context.Terminal;
        if (ServerCertificates.IsNeeded(configuration))
        {
            // Tried beside what follows; both are waited for where they are needed.
            _ = ProtocolFloor.IsWidenedAsync();
            _ = TlsBindings.OfThisMachineAsync();
        }

        if (LoginNames.UnicodeProblem() is { } unicode)
            return terminal.Fail(unicode, "Without it names that look alike would be different accounts.");
        if ((DirectoryOwner.WhyNotServe(configuration.Server.Data)
            ?? DataDirectory.Prepare(configuration.Server.Data)
            ?? ControlServer.WhyNot(DataDirectory.ControlSocket(configuration.Server.Data))) is { } problem)
            return terminal.Fail(problem.What, problem.Todo, ExitCode.Usage);

        if (DataDirectory.WhyNotUsable(configuration.LogsDirectory, "the log directory") is { } deaf)
            terminal.Note($"warning: logs.directory: {deaf.What}; nothing will be written down");
        if (OpenFileLimit.Doubt(configuration.Limits.Connections) is { } doubt)
            terminal.Note($"warning: {doubt}");
        var outward = configuration.Delivery.Connections;
        if (OpenFileLimit.DoubtOutward(outward.All + outward.Tried) is { } few)
            terminal.Note($"warning: {few}");
        if (await context.CompileAsync(configuration, CompileFor.Serving) is not { } compiled)
            return ExitCode.Usage;
        foreach (var warning in compiled.Warnings)
            terminal.Note($"warning: {warning.Key}: {warning.Message}");
        if (compiled.HasMadeCertificate)
            terminal.Note($"made a self-signed certificate for {configuration.Server.Hostname}");
        return await RunAsync(terminal, compiled, asked, context.Clock, ct);
    }

    private static async Task<int> RunAsync(Terminal terminal, Compiled compiled, string? asked, TimeProvider clock, CancellationToken ct)
    {
        var configuration = compiled.Configuration;
        ServerHost? running = null;
        using var notice = new ServiceNotice(clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var hurry = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, ReadAgain);
        try
        {
            await using var host = running = await ServerHost.StartAsync(compiled, asked, terminal.Events, terminal.Note, clock, ct);
            Announce(terminal, configuration, host);
            notice.Ready();
            await UntilAsync(stop.Token);
            notice.Stopping();
            terminal.Note("stopping; once more to stop at once");
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(hurry.Token);
            patience.CancelAfter(host.Live.Compiled.Configuration.Server.StopGrace);
            await host.StopAsync(patience.Token, hurry.Token);
            return ExitCode.Ok;
        }
        catch (ListenException e)
        {
            compiled.Dispose();
            return terminal.Fail(e.Message, WhatToDo(e, configuration), ExitCode.Usage);
        }

        void ReadAgain(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (running is not { } host)
                return;
            notice.Reloading();
            _ = Task.Run(async () =>
            {
                try
                {
                    await host.Live.ReloadAsync(CancellationToken.None);
                }
                catch (Exception e)
                {
                    terminal.Note($"the configuration was not read again: {e.Message}");
                }
                finally
                {
                    notice.Ready();
                }
            }, CancellationToken.None);
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (stop.IsCancellationRequested)
                hurry.Cancel();
            stop.Cancel();
        }
    }

    private static string WhatToDo(ListenException e, PosternConfiguration configuration)
    {
        var where = configuration.File ?? "a postern.yaml; 'postern init' writes one";
        if (configuration.Listeners.Any(l => l.Name == e.Listener && l.AuthService is { Paths.IsEmpty: false }))
            return $"Make its directory, and one that this user may write to; or give listener '{e.Listener}' another path in {where}.";
        return (e.InnerException as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => $"Free {e.Endpoint}, or give listener '{e.Listener}' another address in {where}.",
            SocketError.AccessDenied when e.Endpoint.Port < FirstUnprivilegedPort =>
                $"Let the service have it: AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit (in a container --cap-add "
                    + $"NET_BIND_SERVICE, or --sysctl net.ipv4.ip_unprivileged_port_start=0), "
                    + $"or give listener '{e.Listener}' a port from {FirstUnprivilegedPort} on in {where}.",
            _ => $"Give listener '{e.Listener}' an address of this machine that this user may listen on, in {where}.",
        };
    }

    private static void Announce(Terminal terminal, PosternConfiguration configuration, ServerHost host)
    {
        terminal.Note($"postern serves {configuration.Server.Hostname} ({configuration.Source})");
        foreach (var (listener, endpoint) in host.Relay.Endpoints)
            terminal.Note($"  {listener.Name}: {endpoint}, tls {ListenerText.Word(listener.Tls)}, auth {ListenerText.Word(listener.Auth)}");
        foreach (var endpoint in host.Relay.AuthEndpoints)
            terminal.Note($"  {endpoint.Listener.Name}: {endpoint.Place}, {AuthServiceOptions.Word}");
        terminal.Note($"  data: {configuration.Server.Data}");
        if (host.Relay.Spool.Count > 0)
            terminal.Note($"  {host.Relay.Spool.Count} messages in the spool");
        foreach (var damage in host.Relay.Spool.Recovery.Quarantined)
            terminal.Note($"warning: {damage.Sentence}");
        if (configuration.Delivery.Routes.IsEmpty)
            terminal.Note("  deliveries are HELD: there is no route; set delivery.routes");
    }

    private static async Task UntilAsync(CancellationToken ct)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (ct.Register(stopped.SetResult))
            await stopped.Task;
    }
}
