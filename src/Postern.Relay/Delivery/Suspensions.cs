using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Relay.Spool;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery;

/// <summary>
/// Domains to which nothing is sent until an operator resumes them. Kept in a file, a domain on each line, so that a restart changes
/// nothing. Any thread may ask; changes come one at a time.
/// </summary>
public sealed class Suspensions
{
    /// <summary>Where the spool keeps what is for them alone.</summary>
    internal const string Shelf = "suspended";

    private readonly string? file;
    private volatile FrozenSet<Domain> domains = [];

    /// <summary>Kept nowhere.</summary>
    public Suspensions()
    {
    }

    private Suspensions(string file, IEnumerable<Domain> domains) => (this.file, this.domains) = (file, domains.ToFrozenSet());

    /// <summary>In the order of the alphabet.</summary>
    public ImmutableArray<string> All => [.. domains.Select(static d => d.Text).Order(StringComparer.Ordinal)];

    /// <summary>Reads what is kept; a file that is not there suspends nothing.</summary>
    /// <exception cref="IOException">It is there and cannot be read, or holds something else.</exception>
    public static Suspensions Open(string file)
    {
        var found = new List<Domain>();
        if (File.Exists(file))
        {
            foreach (var line in File.ReadLines(file).Where(static line => line.Length > 0))
                found.Add(Domain.TryParse(line, out var domain) ? domain : throw new IOException($"{file}: '{line}' is not a domain"));
        }

        return new Suspensions(file, found);
    }

    /// <summary>Nothing is sent to this domain.</summary>
    public bool Holds(Domain domain) => domains.Count > 0 && domains.Contains(domain);

    /// <summary>Suspends domains, or resumes them; how many are different now.</summary>
    /// <exception cref="IOException">It could not be written down, and nothing has changed.</exception>
    public int Change(IReadOnlyCollection<Domain> changed, bool suspends)
    {
        var before = domains;
        var after = (suspends ? before.Union(changed) : before.Except(changed)).ToFrozenSet();
        if (after.Count == before.Count)
            return 0;
        if (file is not null)
            Write(file, after);
        domains = after;
        return Math.Abs(after.Count - before.Count);
    }

    /// <summary>
    /// All that still waits of a message is for suspended domains. What an operator sends another way goes there: it does not go to the
    /// domain.
    /// </summary>
    internal bool HoldsAll(Envelope envelope, DeliveryState state)
    {
        if (domains.Count == 0 || state.Via is not null)
            return false;
        for (var i = 0; i < envelope.Recipients.Length; i++)
        {
            if (state.Recipients[i].Status == RecipientStatus.Pending && !Holds(envelope.Recipients[i].Domain))
                return false;
        }

        return true;
    }

    private static void Write(string file, FrozenSet<Domain> domains)
    {
        var fresh = file + ".new";
        using (var stream = new FileStream(fresh, FileMode.Create, FileAccess.Write))
        {
            foreach (var domain in domains)
                stream.Write(Encoding.ASCII.GetBytes(domain.Text + "\n"));
            stream.Flush(flushToDisk: true);
        }

        File.Move(fresh, file, overwrite: true);
    }
}
