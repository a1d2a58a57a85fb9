using System.Collections.Frozen;
using System.Net;
using System.Text;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Dns;
using Postern.Relay.Dkim.Arc;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Session;
using Postern.Testing;
using Address = Postern.Smtp.Grammar.Mailbox;
using Name = Postern.Smtp.Grammar.Domain;

namespace Postern.Relay.Tests.Dkim.Arc;

/// <summary>A sealer with the keys of <see cref="DkimRig"/>, and DNS that the test writes.</summary>
internal sealed class ArcRig : IDisposable
{
    private readonly DkimRig dkim = new();

    public ArcRig(ArcOptions? how = null)
    {
        Sealer = new ArcSealer(
            dkim.Signer,
            how ?? new ArcOptions(),
            new DeliveryOptions { Hostname = Name.Parse("mail.example.org"), Domains = new[] { Name.Parse("example.org") }.ToFrozenSet() },
            dkim.Clock)
        {
            Query = QueryAsync,
        };
    }

    public ArcSealer Sealer { get; }

    public DkimRig Dkim => dkim;

    /// <summary>By the names of records. Empty text: DNS does not answer. Null: it never answers.</summary>
    public Dictionary<string, string?> Records { get; } = new(StringComparer.OrdinalIgnoreCase);

    public List<string> Asked { get; } = [];

    public async Task<ArcRig> WithKeysAsync()
    {
        await dkim.WithKeysAsync();
        foreach (var key in dkim.Keys)
            Records[key.RecordName] = key.RecordText;
        return this;
    }

    /// <summary>What came from outside for somebody here, and is sent on.</summary>
    public static Envelope Forwarded(string to = "bart@example.net", string through = "lisa@example.org") => DkimRig.Envelope(login: null) with
    {
        Said = new SmtpEnvelope(new(Address.Parse("a@far.example")), [Address.Parse(to)]),
        Client = IPAddress.Parse("192.0.2.7"),
        IsInbound = true,
        Expanded = new Expansion(new QueueId(2), [Address.Parse(through)]),
    };

    /// <summary>The set that is put above the content; empty where none is.</summary>
    public async Task<string> SealAsync(string content, Envelope? envelope = null, int piece = int.MaxValue) =>
        Encoding.ASCII.GetString((await DecorateAsync(content, envelope, piece)).Fields.Span);

    public async Task<Decoration> DecorateAsync(string content, Envelope? envelope = null, int piece = int.MaxValue)
    {
        using var kept = new Content(Encoding.Latin1.GetBytes(content), piece);
        return await Sealer.HeaderAsync(envelope ?? Forwarded(), ReadOnlyMemory<byte>.Empty, kept, TestContext.Current.CancellationToken);
    }

    public void Dispose() => dkim.Dispose();

    private async ValueTask<DnsAnswer> QueryAsync(string name, CancellationToken ct)
    {
        Asked.Add(name);
        if (!Records.TryGetValue(name, out var text))
            return new DnsAnswer(DnsStatus.NoSuchDomain, [], TimeSpan.Zero, "no such name");
        if (text is null)
        {
            dkim.Clock.Advance(TimeSpan.FromSeconds(11));
            await Task.Delay(Timeout.InfiniteTimeSpan, ct);
        }

        return text is null or "" ? DnsAnswer.Unavailable("nobody answers")
            : new DnsAnswer(DnsStatus.Found, [new DnsRecord.Txt(name, TimeSpan.FromMinutes(1), text)], TimeSpan.FromMinutes(1), string.Empty);
    }

    private sealed class Content(byte[] octets, int piece) : ISpoolContent
    {
        private readonly ByteContent content = new(octets, piece);

        public long Length => content.Length;

        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken ct) => content.ReadAsync(offset, buffer, ct);

        public void Dispose()
        {
        }
    }
}
