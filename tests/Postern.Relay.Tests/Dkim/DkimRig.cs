using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Admin;
using Postern.Relay.Dkim;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Relay.Tests.Dkim;

/// <summary>A directory of its own, its keys, and a signer by them.</summary>
internal sealed class DkimRig : IDisposable
{
    public const string Domain = "example.org";

    private readonly string folder = System.IO.Directory.CreateTempSubdirectory("pst").FullName;

    public DkimRig(DkimOptions? options = null)
    {
        Directory = SqliteDirectory.Open(new SqliteDirectoryOptions(Path.Combine(folder, "directory.db")));
        Signer = new DkimSigner(Directory, options ?? new DkimOptions(), (what, detail) => Told.Add($"{what}: {detail}"));
    }

    public ManualClock Clock { get; } = new(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));

    public SqliteDirectory Directory { get; }

    public DkimSigner Signer { get; }

    public List<string> Told { get; } = [];

    public DkimCommands Commands => new DirectoryCommands(Directory, Clock).Dkim;

    public ImmutableArray<DkimKeyDetails> Keys => new DirectoryQueries(Directory, Clock).DkimKeys();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Makes keys of both algorithms, and puts them to use.</summary>
    public async Task<DkimRig> WithKeysAsync(string domain = Domain)
    {
        Assert.IsType<AdminOutcome.Done>(Commands.Create(domain, selector: null, algorithm: null, imported: null));
        Assert.IsType<AdminOutcome.Done>(await Commands.ActivateAsync(domain, dns: null, Cancelled));
        return this;
    }

    public static Envelope Envelope(string? login = "lisa@example.org", string? tenant = null) => new()
    {
        Id = new QueueId(1),
        ArrivedAt = new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero),
        Said = new SmtpEnvelope(new ReversePath(Mailbox.Parse("lisa@example.org")), [Mailbox.Parse("bart@example.net")]),
        Login = login,
        Tenant = tenant,
    };

    /// <summary>The fields that are put above the content.</summary>
    public async Task<string> SignAsync(byte[] content, Envelope? envelope = null, int piece = int.MaxValue, string before = "")
    {
        using var kept = new Content(content, piece);
        return Encoding.ASCII.GetString((await Signer.HeaderAsync(envelope ?? Envelope(), Encoding.ASCII.GetBytes(before), kept, Cancelled)).Fields.Span);
    }

    public Task<string> SignAsync(string content, Envelope? envelope = null) => SignAsync(Encoding.Latin1.GetBytes(content), envelope);

    public void Dispose()
    {
        Directory.Dispose();
        System.IO.Directory.Delete(folder, recursive: true);
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
