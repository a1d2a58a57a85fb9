using System.Collections.Immutable;
using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;

namespace Postern.Relay.Spool.Resting;

/// <summary>
/// <see cref="Envelope"/> at rest, but for its id and its <see cref="RestingOrigin"/>. What few messages have takes octets only of those;
/// parameters stand there as ESMTP writes them, which is how the log has them too (docs/spool-format.md).
/// </summary>
internal static class EnvelopeOctets
{
    [Flags]
    private enum Has
    {
        None = 0,
        EightBit = 1,
        Sender = 2,
        Inbound = 4,
        Keep = 8,
        ForeignAuthor = 16,
        Utf8Header = 32,

        MailSaid = 1 << 7,
        HoldFor = 1 << 8,
        RcptSaid = 1 << 9,
        TlsOptional = 1 << 10,
        TlsWaived = 1 << 11,
        ReportOf = 1 << 12,
        IsGathered = 1 << 13,
        Earlier = 1 << 14,
        Expanded = 1 << 15,
        ClientSession = 1 << 16,
    }

    private const Has Rare = ~(Has)0x7F;

    public static void Write(OctetWriter writer, Envelope envelope)
    {
        var has = Of(envelope);
        writer.Number((int)has);
        writer.Time(envelope.ArrivedAt);
        if (has.HasFlag(Has.Sender))
            writer.Text(envelope.Sender.Address);
        Write(writer, envelope.Recipients);
        if (envelope.KeepFor is { } keep)
            writer.Number((int)keep.TotalSeconds);
        if ((has & Rare) != 0)
            WriteRare(writer, envelope, has);
    }

    public static Envelope Read(ref OctetReader reader, QueueId id, RestingOrigin origin)
    {
        var has = (Has)reader.Count();
        var arrived = reader.Time();
        var sender = has.HasFlag(Has.Sender) ? new ReversePath(ReadMailbox(ref reader)) : ReversePath.Null;
        var envelope = new Envelope
        {
            Id = id,
            ArrivedAt = arrived,
            Said = new SmtpEnvelope(sender, ReadMailboxes(ref reader))
            {
                Parameters = has.HasFlag(Has.EightBit) ? MailParameters.EightBit : MailParameters.None,
            },
            Login = origin.Login,
            Client = origin.Client,
            Listener = origin.Listener,
            Tenant = origin.Tenant,
            IsInbound = has.HasFlag(Has.Inbound),
            HasForeignAuthor = has.HasFlag(Has.ForeignAuthor),
            HasUtf8Header = has.HasFlag(Has.Utf8Header),
            KeepFor = has.HasFlag(Has.Keep) ? TimeSpan.FromSeconds(reader.Count()) : null,
        };
        return (has & Rare) == 0 ? envelope : ReadRare(ref reader, envelope, has);
    }

    private static Has Of(Envelope envelope)
    {
        var said = envelope.Parameters;
        var rare = (said == MailParameters.None || said == MailParameters.EightBit ? 0 : Has.MailSaid)
            | (said.HoldFor is null ? 0 : Has.HoldFor)
            | (envelope.Said.RecipientParameters.All(static p => p == RecipientParameters.None) ? 0 : Has.RcptSaid)
            | (envelope.IsTlsOptional ? Has.TlsOptional : 0)
            | (envelope.IsTlsWaived ? Has.TlsWaived : 0)
            | (envelope.ReportOf is null ? 0 : Has.ReportOf)
            | (envelope.ReportOf is { IsGathered: true } ? Has.IsGathered : 0)
            | (envelope.Earlier is null ? 0 : Has.Earlier)
            | (envelope.Expanded is null ? 0 : Has.Expanded)
            | (envelope.ClientSession is null ? 0 : Has.ClientSession);
        return rare
            | (said == MailParameters.EightBit ? Has.EightBit : 0)
            | (envelope.Sender.Mailbox is null ? 0 : Has.Sender)
            | (envelope.IsInbound ? Has.Inbound : 0)
            | (envelope.KeepFor is null ? 0 : Has.Keep)
            | (envelope.HasForeignAuthor ? Has.ForeignAuthor : 0)
            | (envelope.HasUtf8Header ? Has.Utf8Header : 0);
    }

    private static void WriteRare(OctetWriter writer, Envelope envelope, Has has)
    {
        if (has.HasFlag(Has.MailSaid))
            writer.Text(ParameterText.Of(envelope.Parameters));
        if (envelope.Parameters.HoldFor is { } holdFor)
            writer.Number((ulong)holdFor.TotalSeconds);
        if (has.HasFlag(Has.RcptSaid))
        {
            foreach (var said in envelope.Said.RecipientParameters)
                writer.Text(ParameterText.Of(said));
        }

        if (envelope.ReportOf is { } report)
        {
            writer.Id(report.About);
            writer.Text(report.Reason);
        }

        if (envelope.Earlier is { } earlier)
            writer.Id(earlier.As);
        if (envelope.Expanded is { } expanded)
        {
            writer.Id(expanded.Of);
            Write(writer, expanded.Through);
            writer.Numbers(expanded.Open.AsSpan());
            writer.Numbers(expanded.Places.AsSpan());
            writer.Numbers(expanded.Rewritten.AsSpan());
        }

        if (envelope.ClientSession is { } session)
            writer.Text(session.ToAttributes());
    }

    private static Envelope ReadRare(ref OctetReader reader, Envelope envelope, Has has)
    {
        var said = envelope.Said;
        if (has.HasFlag(Has.MailSaid))
            said = said with { Parameters = MailSaid(reader.Text()) };
        if (has.HasFlag(Has.HoldFor))
            said = said with { Parameters = said.Parameters with { HoldFor = TimeSpan.FromSeconds(reader.Number()) } };
        if (has.HasFlag(Has.RcptSaid))
            said = said with { RecipientParameters = ReadRcptSaid(ref reader, said.Recipients.Length) };
        return envelope with
        {
            Said = said,
            IsTlsOptional = has.HasFlag(Has.TlsOptional),
            IsTlsWaived = has.HasFlag(Has.TlsWaived),
            ReportOf = has.HasFlag(Has.ReportOf)
                ? new ReportOrigin(reader.Id(), reader.Text()) { IsGathered = has.HasFlag(Has.IsGathered) }
                : null,
            Earlier = has.HasFlag(Has.Earlier) ? new EarlierPass(reader.Id()) : null,
            Expanded = has.HasFlag(Has.Expanded)
                ? new Expansion(reader.Id(), ReadMailboxes(ref reader))
                {
                    Open = reader.Numbers(),
                    Places = reader.Numbers(),
                    Rewritten = reader.Numbers(),
                }
                : null,
            ClientSession = has.HasFlag(Has.ClientSession) && PeerClaims.TryParse(reader.Text(), out var session) ? session : null,
        };
    }

    private static MailParameters MailSaid(string text) =>
        ParameterText.TryRead(text, out MailParameters? said) ? said.Shared() : throw Unreadable(text);

    private static ImmutableArray<RecipientParameters> ReadRcptSaid(ref OctetReader reader, int recipients)
    {
        var all = ImmutableArray.CreateBuilder<RecipientParameters>(recipients);
        while (all.Count < recipients)
        {
            var text = reader.Text();
            all.Add(ParameterText.TryRead(text, out RecipientParameters? said) ? said : throw Unreadable(text));
        }

        return all.MoveToImmutable();
    }

    private static void Write(OctetWriter writer, ImmutableArray<Mailbox> mailboxes)
    {
        writer.Number(mailboxes.Length);
        foreach (var mailbox in mailboxes)
            writer.Text(mailbox.Address);
    }

    private static ImmutableArray<Mailbox> ReadMailboxes(ref OctetReader reader)
    {
        var all = ImmutableArray.CreateBuilder<Mailbox>(reader.Count());
        while (all.Count < all.Capacity)
            all.Add(ReadMailbox(ref reader));
        return all.MoveToImmutable();
    }

    private static Mailbox ReadMailbox(ref OctetReader reader)
    {
        var octets = reader.Utf8();
        return Mailbox.TryParse(octets, out var mailbox) ? mailbox : throw Unreadable(Encoding.UTF8.GetString(octets));
    }

    /// <summary>A bug: this process wrote it, from what was read the same way before.</summary>
    private static InvalidOperationException Unreadable(string text) => new($"A waiting message holds '{text}', which cannot be read");
}
