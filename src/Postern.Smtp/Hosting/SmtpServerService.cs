using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Postern.Smtp.Hosting;

/// <summary>
/// Starts the server with its host. It stops before any other service does: a message that is being received may need them, and who accepts
/// connections for <see cref="SmtpServer.ServeAsync"/> would wait for sessions that nobody ends.
/// </summary>
internal sealed class SmtpServerService(SmtpServer server, ILogger<SmtpServer>? logger = null) : IHostedLifecycleService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (server.Options.Listeners.Count > 0)
            server.Start();
        else if (logger is not null)
            LoggedEvents.NothingToListenOn(logger);
        foreach (var (listener, endpoint) in server.Endpoints)
        {
            if (logger is not null)
                LoggedEvents.Listening(logger, listener.Name, endpoint);
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
