using System.Net;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Transports;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Client;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery;

/// <summary>A scheduler on a spool in memory, delivering by SMTP to sinks of the test.</summary>
internal sealed class DeliveryRig : IAsyncDisposable
{
    public const string Content = "Subject: hello\r\nFrom: a@here.test\r\n\r\nBody\r\n";

    public DeliveryRig(DeliveryOptions options, TimeProvider? clock = null, FakeSpool? spool = null, IDeliveryTransport? transport = null, Func<IReadOnlyList<IPEndPoint>>? listeners = null)
    {
        Clock = clock ?? TimeProvider.System;
        Spool = spool ?? new FakeSpool(Clock);
        Scheduler = new DeliveryScheduler(Spool, transport ?? new SmtpDelivery(options, TimeProvider.System, listeners), options, Audit, Clock);
    }

    public TimeProvider Clock { get; }

    public FakeSpool Spool { get; }

    public RecordingAudit Audit { get; } = new();

    public DeliveryScheduler Scheduler { get; }

    /// <summary>Short where a test waits for it to pass, long where passing would be a failure.</summary>
    public static SmtpTimeouts Patient { get; } = SmtpTimeouts.Default with { Connect = TimeSpan.FromSeconds(10), Quit = TimeSpan.FromMilliseconds(100) };

    public static SmtpTimeouts Hasty { get; } = new()
    {
        Connect = TimeSpan.FromMilliseconds(400),
        Greeting = TimeSpan.FromMilliseconds(400),
        Command = TimeSpan.FromMilliseconds(400),
        Handshake = TimeSpan.FromMilliseconds(400),
        Mail = TimeSpan.FromMilliseconds(400),
        Rcpt = TimeSpan.FromMilliseconds(400),
        Data = TimeSpan.FromMilliseconds(400),
        DataBlock = TimeSpan.FromMilliseconds(400),
        EndOfData = TimeSpan.FromMilliseconds(400),
        Quit = TimeSpan.FromMilliseconds(50),
    };

    public static DeliveryOptions Options(params Route[] routes) => new()
    {
        Hostname = Domain.Parse("relay.test"),
        Routes = routes.Length == 0 ? RouteTable.Hold : ((RouteParse.Ok)RouteTable.Parse(routes)).Table,
        Timeouts = Patient,
        IdleClose = TimeSpan.FromSeconds(5),
    };

    public static Route To(string pattern, int port) => new(pattern, $"smtp://127.0.0.1:{port}");

    public Task<QueueId> AddAsync(params string[] recipients) => Spool.AddAsync(Clock, Content, "a@here.test", recipients);

    /// <param name="with">Changes the envelope before it is committed.</param>
    public Task<QueueId> AddAsync(Func<Envelope, Envelope> with, params string[] recipients) => Spool.AddAsync(Clock, Content, "a@here.test", recipients, with);

    /// <param name="state">Changes the state that it comes with.</param>
    public Task<QueueId> AddAsync(Func<Envelope, Envelope> with, Func<DeliveryState, DeliveryState> state, params string[] recipients) =>
        Spool.AddAsync(Clock, Content, "a@here.test", recipients, with, state);

    public ValueTask DisposeAsync() => Scheduler.DisposeAsync();
}
