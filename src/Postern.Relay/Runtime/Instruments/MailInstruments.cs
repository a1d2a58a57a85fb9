using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Postern.Relay.Audit.Events;
using static Postern.Relay.Runtime.Instruments.RelayInstruments;

namespace Postern.Relay.Runtime.Instruments;

/// <summary>Messages that came in, or did not.</summary>
internal sealed class MailInstruments(Meter meter)
{
    private const string Unknown = "other";
    private const int MostTenants = 200;

    private readonly ConcurrentDictionary<string, string> tenants = new(StringComparer.Ordinal);

    private readonly Counter<long> accepted = meter.CreateCounter<long>(
        "postern.messages.accepted", "{message}", "Messages that were answered 250, and those that this server wrote.");

    private readonly Counter<long> refused = meter.CreateCounter<long>(
        "postern.messages.refused", "{refusal}", "Senders, recipients and messages that were refused.");

    private readonly Histogram<long> size = meter.CreateHistogram(
        "postern.messages.size",
        "By",
        "Sizes of accepted messages, with the fields that were added here.",
        tags: null,
        new InstrumentAdvice<long>
        {
            HistogramBucketBoundaries = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
        });

    private readonly Counter<long> recipients = meter.CreateCounter<long>(
        "postern.messages.recipients", "{recipient}", "Recipients of accepted messages.");

    private readonly Histogram<double> commits = meter.CreateHistogram(
        "postern.spool.commit.duration", "s", "How long a message waited to become durable.", tags: null, Waits);

    /// <summary>Accepted messages and their recipients are counted by tenant too.</summary>
    public bool CountsTenants { get; set; }

    /// <summary>Whether anybody wants to know how long a commit takes.</summary>
    public bool TimesCommits => commits.Enabled;

    public void Committed(bool isLmtp, TimeSpan took)
    {
        if (commits.Enabled)
            commits.Record(took.TotalSeconds, Tag("source", isLmtp ? "lmtp" : "smtp"));
    }

    public void Note(AcceptedEvent message)
    {
        if (!accepted.Enabled && !recipients.Enabled && !size.Enabled)
            return;
        if (size.Enabled)
            size.Record(message.Size);
        var count = (message.Recipients.IsDefault ? 0 : message.Recipients.Length) + message.MoreRecipients;
        var (source, listener) = (Tag("source", EventWord.Of(message.Source) ?? Unknown), Tag("listener", message.Listener));
        if (CountsTenants)
        {
            var tenant = Tag("tenant", LabelOf(message.Tenant));
            accepted.Add(1, source, listener, tenant);
            recipients.Add(count, tenant);
        }
        else
        {
            accepted.Add(1, source, listener);
            recipients.Add(count);
        }
    }

    /// <summary>The first so many have names of their own.</summary>
    private string LabelOf(string? tenant) =>
        tenant is null ? "none"
        : tenants.TryGetValue(tenant, out var known) ? known
        : tenants.Count < MostTenants ? tenants.GetOrAdd(tenant, tenant)
        : Unknown;

    /// <summary>Where no rule refused, the reason is the code of the reply.</summary>
    public void Note(RefusedEvent refusal)
    {
        if (refused.Enabled)
            Refused(
                refusal.Listener,
                "content",
                refusal.Cause is { Code: > 0 and var code } ? code.ToString(CultureInfo.InvariantCulture) : Unknown);
    }

    public void Refused(string listener, string stage, string reason)
    {
        if (refused.Enabled)
            refused.Add(1, Tag("listener", listener), Tag("stage", stage), Tag("reason", reason));
    }
}
