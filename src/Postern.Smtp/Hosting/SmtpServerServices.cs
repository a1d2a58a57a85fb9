using Microsoft.Extensions.DependencyInjection.Extensions;
using Postern.Smtp;
using Postern.Smtp.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>An SMTP server as a service of the Generic Host.</summary>
public static class SmtpServerServices
{
    /// <summary>
    /// Adds an <see cref="SmtpServer"/> that starts and stops with the host. Stopping lets what is being received finish, at most for the
    /// host's shutdown timeout. Called again, it goes on configuring the same server.
    /// </summary>
    /// <param name="services">
    /// Where these are registered, they are the defaults: <see cref="Postern.Smtp.Message.IMessageStore"/>,
    /// <see cref="Postern.Smtp.Policy.IEnvelopePolicy"/>, <see cref="Postern.Smtp.Events.ISmtpEvents"/>,
    /// <see cref="Postern.Smtp.Authentication.IAuthenticator"/> or <see cref="Postern.Sasl.Verifiers.IPasswordVerifier"/>,
    /// <see cref="Postern.Sasl.Verifiers.IAuthorizationGrants"/> and <see cref="TimeProvider"/>. All live as long as the host: register
    /// singletons.
    /// </param>
    /// <param name="configure">Has the last word. Mistakes are listed, all at once, when the host starts.</param>
    public static IServiceCollection AddSmtpServer(this IServiceCollection services, Action<SmtpServerOptions> configure) =>
        services.AddSmtpServer((_, options) => configure(options));

    /// <inheritdoc cref="AddSmtpServer(IServiceCollection, Action{SmtpServerOptions})"/>
    public static IServiceCollection AddSmtpServer(this IServiceCollection services, Action<IServiceProvider, SmtpServerOptions> configure)
    {
        services.AddSingleton(new HostedConfiguration(configure));
        services.TryAddSingleton(HostedConfiguration.Build);
        return services.AddHostedService<SmtpServerService>();
    }
}
