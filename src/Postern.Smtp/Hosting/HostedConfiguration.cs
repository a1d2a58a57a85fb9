using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Authentication;
using Postern.Smtp.Events;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;

namespace Postern.Smtp.Hosting;

/// <summary>One call of <c>AddSmtpServer</c>, and how a server is made of all of them and of what the container knows.</summary>
internal sealed record HostedConfiguration(Action<IServiceProvider, SmtpServerOptions> Configure)
{
    /// <exception cref="ArgumentException">The options hold mistakes.</exception>
    public static SmtpServer Build(IServiceProvider services)
    {
        var options = new SmtpServerOptions();
        options.Store = services.GetService<IMessageStore>() ?? options.Store;
        options.Policy = services.GetService<IEnvelopePolicy>() ?? options.Policy;
        options.Events = services.GetService<ISmtpEvents>() ?? options.Events;
        options.Clock = services.GetService<TimeProvider>() ?? options.Clock;
        options.Sasl = options.Sasl with
        {
            Passwords = services.GetService<IPasswordVerifier>(),
            Grants = services.GetService<IAuthorizationGrants>(),
        };
        options.Authenticator = services.GetService<IAuthenticator>();
        foreach (var configuration in services.GetServices<HostedConfiguration>())
            configuration.Configure(services, options);
        if (services.GetService<ILogger<SmtpServer>>() is { } logger)
            options.Events = new LoggedEvents(logger, options.Events);
        return new SmtpServer(options);
    }
}
