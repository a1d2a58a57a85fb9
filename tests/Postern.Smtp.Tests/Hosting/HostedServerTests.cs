using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Postern.Sasl.Verifiers;
using Postern.Smtp.Authentication;
using Postern.Smtp.Events;
using Postern.Smtp.Hosting;
using Postern.Smtp.Message;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;
using Postern.Testing;

namespace Postern.Smtp.Tests.Hosting;

public sealed class HostedServerTests
{
    [Fact]
    public void What_the_container_knows_is_used_and_the_code_has_the_last_word()
    {
        var (registered, chosen) = (new MemoryStore(), new MemoryStore());
        using var host = Build(services => services.AddSingleton<IMessageStore>(registered), static options => options.Listen(0));
        Assert.Same(registered, host.Services.GetRequiredService<SmtpServer>().Options.Store);

        using var other = Build(services => services.AddSingleton<IMessageStore>(registered), options => options.Store = chosen);
        Assert.Same(chosen, other.Services.GetRequiredService<SmtpServer>().Options.Store);
    }

    [Fact]
    public async Task An_authenticator_of_the_container_decides_and_does_not_share_that_with_a_verifier()
    {
        await using var provider = With(static services => services.AddSingleton<IAuthenticator, Doorman>());
        Assert.IsType<Doorman>(provider.GetRequiredService<SmtpServer>().Options.Authenticator);

        await using var both = With(static services => services.AddSingleton<IAuthenticator, Doorman>().AddSingleton<IPasswordVerifier>(new TestPasswords()));
        Assert.Contains("- Authenticator and Sasl.Passwords would both", Assert.Throws<ArgumentException>(() => both.GetRequiredService<SmtpServer>()).Message);

        static ServiceProvider With(Action<IServiceCollection> services)
        {
            var all = new ServiceCollection();
            services(all);
            return all.AddSmtpServer(static options => options.Store = new MemoryStore()).BuildServiceProvider();
        }
    }

    /// <summary>An interface default that is not overridden swallows the event.</summary>
    [Theory]
    [InlineData(typeof(LoggedEvents))]
    [InlineData(typeof(GuardedEvents))]
    public void Whatever_stands_before_the_events_hands_on_every_one(Type wrapper)
    {
        var map = wrapper.GetInterfaceMap(typeof(ISmtpEvents));
        Assert.All(map.TargetMethods, method => Assert.Equal(wrapper, method.DeclaringType));
    }

    [Fact]
    public async Task Two_calls_configure_one_server()
    {
        using var host = Build(static services => services.AddSmtpServer(static options => options.Listen(0)), static options => options.Listen(0), new MemoryStore());
        await host.StartAsync();
        Assert.Equal(2, host.Services.GetRequiredService<SmtpServer>().Endpoints.Count);
        await host.StopAsync();
    }

    [Fact]
    public async Task Mistakes_stop_the_start_of_the_host()
    {
        using var host = Build(static _ => { }, static options => options.Listen(0));
        var mistakes = await Assert.ThrowsAsync<ArgumentException>(() => host.StartAsync());
        Assert.Contains("- Store is not set", mistakes.Message);
    }

    [Fact]
    public async Task The_host_stops_when_the_message_that_is_being_received_is_stored()
    {
        var store = new MemoryStore();
        using var host = Build(static _ => { }, static options => options.Listen(0), store);
        await host.StartAsync();
        var endpoint = host.Services.GetRequiredService<SmtpServer>().Endpoints[0].Endpoint;
        await using var quiet = await SmtpDialogue.GreetAsync(endpoint);
        await using var busy = await SmtpDialogue.GreetAsync(endpoint);
        await busy.StartTlsAsync();
        await busy.LogInAsync("lisa", "tiger");
        await busy.BeginDataAsync("lisa@example.org", "bart@example.net");

        var stopping = host.StopAsync();
        await quiet.ExpectAsync("421");
        Assert.False(stopping.IsCompleted);
        Assert.StartsWith("250 2.0.0 Queued", await busy.AskAsync("Hello.\r\n."));
        await busy.ExpectAsync("421");
        await stopping;
        Assert.Single(store.Messages);
    }

    [Fact]
    public async Task The_log_tells_what_happened_and_no_secret()
    {
        var log = new Lines();
        using var host = Build(services => services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(log)), static options => options.Listen(0), new MemoryStore());
        await host.StartAsync();
        await using (var client = await SmtpDialogue.GreetAsync(host.Services.GetRequiredService<SmtpServer>().Endpoints[0].Endpoint))
        {
            await client.StartTlsAsync();
            Assert.StartsWith("535", await client.AskAsync($"AUTH PLAIN {SmtpDialogue.Plain("canary-user", "canary-secret")}"));
            await client.LogInAsync("lisa", "tiger");
            await client.AskAsync("canary-verb");
            await client.SendAsync("lisa@example.org", "bart@example.net", "x\r\n");
            await client.SayAsync("QUIT", "221");
        }

        await host.StopAsync();
        var text = string.Join('\n', log.Written);
        Assert.Contains("failed to log in by PLAIN as ***", text);
        Assert.Contains("logged in by PLAIN as lisa", text);
        Assert.Contains("stored 1, 3 octets from <lisa@example.org> to 1 recipients, login lisa", text);
        Assert.DoesNotContain("canary", text);
        Assert.DoesNotContain("tiger", text);
        Assert.DoesNotContain(SmtpDialogue.Plain("canary-user", "canary-secret"), text);
    }

    private static IHost Build(Action<IServiceCollection> services, Action<SmtpServerOptions> configure, IMessageStore? store = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        services(builder.Services);
        builder.Services.AddSmtpServer(options =>
        {
            options.Tls = new TlsOptions(TestCertificate.Instance);
            options.Store = store ?? options.Store;
            options.Authenticate(static (user, password, _) => new(user == "lisa" && password.Matches("tiger")));
            configure(options);
        });
        return builder.Build();
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Written { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }

    private sealed class Doorman : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(SessionState session, string mechanism, LoginCredentials credentials, CancellationToken ct) =>
            new(new AuthenticationResult.Refused());
    }
}
