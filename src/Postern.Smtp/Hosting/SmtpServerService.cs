using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Postern.Smtp.Hosting;

/// <summary>Starts and stops the server with its host.</summary>
internal sealed class SmtpServerService(SmtpServer server, ILogger<SmtpServer>? logger = null) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        server.Start();
        if (logger is not null)
        {
            foreach (var (listener, endpoint) in server.Endpoints)
                LoggedEvents.Listening(logger, listener.Name, endpoint);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);
}
