using System.Text;
using Postern.Relay.Delivery;
using Postern.Relay.Delivery.Places;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;
using Postern.Smtp.Session;
using Postern.Testing;

namespace Postern.Fuzz.Targets;

/// <summary>
/// Ways that mail is to go, as operators write them (<c>via</c>), with the address of a recipient on the line behind: a next hop or words on what is wrong, and a
/// recipient who comes nowhere but where the text has a place for him. Rewritten addresses of forwarded mail are read on the side: none is one that we did not make.
/// </summary>
internal sealed class WayTarget : ITarget
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Srs Srs = new(Domain.Parse("fwd.test"), [new Postern.Sasl.Secret("a secret of ours")], days: 21);

    private readonly QueueId id = QueueId.New(new ManualClock(Now));

    public string Name => "ways";

    public Reached Reached { get; } = new("wrong", "server", "exchangers", "place", "filled", "rewritten");

    public bool TakesTranscripts => false;

    public int MaxOctets => 600;

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "smtp://a.test:25?tls=required\nb@c.test", "smtps://[::1]:465\nb@c.test", "smtp+mx://a.test\nb@c.test", "smtp+srv://a.test\nb@[127.0.0.1]", "lmtp:unix:/run/lmtp\nb@c.test", "lmtp://127.0.0.1:24\nb@c.test", "mx\nb@c.test",
        "maildir:/var/mail/{domain}/{user}\n\"../x\"@c.test", "maildir:/a/{user}\n\"a b\"@c.test", "pipe:/bin/x \"{sender} {recipient}\" {user}\n\"-f x\"@c.test", "pipe:/bin/x {queue_id}\n{user}@c.test", "discard:\nb@c.test", "error:550 5.1.1 no\nb@c.test", "error:450 later\nb@c.test",
        "smtp://a:25,smtp://b:25\nSRS0=abcd=AB=c.test=x@fwd.test", "discard:\u0015\nSRS1=abcd=c+d==efgh=AB=e.test=x@fwd.test", "smtp://a?weight=3\nSRS1=abcd=c.test==efgh=AB=d.test=x@fwd.test");

    public IReadOnlyList<byte[]> Dictionary { get; } = Words.Of(
    [
        "smtp://", "smtps://", "smtp+mx://", "smtp+srv://", "smtps+srv://", "lmtp://", "lmtp:unix:", "maildir:", "pipe:", "discard:", "error:", "mx", "?tls=", "none", "opportunistic", "required", "?weight=", "&", "[::1]", ":25", "{user}", "{domain}", "{recipient}", "{sender}", "{queue_id}", "{", "}", "{}", "..", "/", "/../", "\"", " ", "\n", "@",
        "@fwd.test", "SRS0=", "SRS1=", "SRS0+", "==", "=", "-", "\u0000", "\u0085", "550 5.1.1 ", "5.0.0",
        .. NumberTexts.All,
    ]);

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var lines = Encoding.UTF8.GetString(input.Span).Split('\n', 2);
        var recipient = Mailbox.TryParse(lines.ElementAtOrDefault(1) ?? string.Empty, out var parsed) ? parsed : Mailbox.Parse("b@example.org");
        CheckRewritten(recipient, ref signal);
        switch (RouteTable.Parse([new Route("*", lines[0])]))
        {
            case RouteParse.Wrong(_, _, var message):
                Reached.Note("wrong");
                BrokenException.Unless(message.Length > 0, "what is wrong is said");
                signal.Add(message.Length / 8);
                break;
            case RouteParse.Ok(var table):
                var hop = table.Find(EnvelopeFor(recipient), recipient);
                BrokenException.Unless(!hop.Name.Any(char.IsControl), "a name fits a line");
                BrokenException.Unless(hop.Equals(table.Find(EnvelopeFor(recipient), recipient)), "the same is the same");
                Reached.Note(hop switch { NextHop.SmartHost => "server", NextHop.Elsewhere => "place", _ => "exchangers" });
                signal.Add(hop.GetType().Name.Length);
                signal.Add(hop.Name.Length / 8);
                break;
        }

        CheckFilled(lines[0], recipient, ref signal);
        return new(signal.Value);
    }

    private Envelope EnvelopeFor(Mailbox recipient) => new() { Id = id, ArrivedAt = Now, Said = new SmtpEnvelope(ReversePath.Null, [recipient]) };

    /// <summary>Each name becomes its value where it stands, and nothing that a value holds is read as a name.</summary>
    private void CheckFilled(string text, Mailbox recipient, ref Signal signal)
    {
        if (PlaceText.WhyNot(text, PlaceText.All) is not null)
            return;
        Reached.Note("filled");
        var (at, filled) = (0, PlaceText.Fill(text, name => PlaceText.ValueOf(name, recipient, ReversePath.Null, "Q")));
        for (var i = 0; i < text.Length; i++)
        {
            var piece = text[i..(i + 1)];
            if (text[i] == '{')
            {
                var end = text.IndexOf('}', i);
                (piece, i) = (PlaceText.ValueOf(text[(i + 1)..end], recipient, ReversePath.Null, "Q"), end);
            }

            BrokenException.Unless(string.CompareOrdinal(filled, at, piece, 0, piece.Length) == 0, "a value stands where its name stood");
            at += piece.Length;
        }

        BrokenException.Unless(at == filled.Length, "nothing else is put in");
        BrokenException.Unless(!recipient.Domain.Text.Contains('/', StringComparison.Ordinal) && recipient.Domain.Text is not ("." or ".."), "a domain leads to no other directory");
        signal.Add(filled.Length / 8);
    }

    private void CheckRewritten(Mailbox address, ref Signal signal)
    {
        if (Srs.Rewrite(address, Now) is { } made)
        {
            Reached.Note("rewritten");
            var isSrs = address.LocalPart.TrimStart('"').StartsWith("SRS", StringComparison.OrdinalIgnoreCase);
            BrokenException.Unless(Srs.Read(made, Now) is SrsAnswer.Leads(var back) && (isSrs || back.Equals(address)), $"{made} leads back to {address}");
            BrokenException.Unless(Srs.Read(made, Now.AddDays(40)) is SrsAnswer.Refused || isSrs, "an old one is refused");
        }

        signal.Add(Srs.Read(address, Now) switch { null => 0, SrsAnswer.Leads => 1, _ => 2 });
    }
}
