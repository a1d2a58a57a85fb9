using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Fuzz.Targets;

/// <summary>Paths, mailboxes, domains: what is taken reads back as itself and holds no octet that could end a line.</summary>
internal sealed class PathTarget : ITarget
{
    public string Name => "path";

    public IEnumerable<byte[]> Seeds => Fuzz.Seeds.Of(
        "FROM:<>", "FROM:<a@example.org>", "FROM: <a@example.org> SIZE=1", "FROM:a@example.org", "FROM:<\"a b\"@example.org>", "FROM:<\"a\\\"\\>\"@example.org>", "FROM:<@x,@y:a@b>",
        "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "\"\\\\\"@b", "a.b.c@d-e.f", "example.org", "[127.0.0.1]", "[IPv6:::ffff:192.0.2.1]", "a%b@c", "a!b@c", "a..b@c", ".a@b", "a.@b", "FROM:<..a..@b>", "\"a..b\"@c");

    public int MaxOctets => 600;

    public ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input)
    {
        var signal = new Signal();
        var octets = input.Span;
        if (PathParser.TrySplit(octets, "FROM:"u8, out var path, out var parameters))
        {
            BrokenException.Unless(path.Length + parameters.Length <= octets.Length, "a path and its parameters are parts of the argument");
            signal.Add(1);
            signal.Add(PathParser.IsSourceRoute(path));
            Check(path, ref signal);
        }

        Check(octets, ref signal);
        return new(signal.Value);
    }

    private static void Check(ReadOnlySpan<byte> octets, ref Signal signal)
    {
        if (Mailbox.TryParse(octets, out var mailbox))
        {
            signal.Add(2);
            signal.Add(mailbox.LocalPart[0] == '"');
            signal.Add(mailbox.Domain.Literal is not null);
            CheckText(mailbox.Address);
            CheckText(mailbox.Canonical);
            BrokenException.Unless(Mailbox.TryParse(mailbox.Address, out var again) && again.Equals(mailbox) && again.Address == mailbox.Address, $"a mailbox reads back as itself: {mailbox.Address}");
            BrokenException.Unless(Mailbox.TryParse(mailbox.Canonical, out var canonical) && canonical.Canonical == mailbox.Canonical, $"so does its canonical form: {mailbox.Canonical}");
            var length = Encoding.UTF8.GetByteCount(mailbox.LocalPart);
            BrokenException.Unless(canonical!.IsStrict || Encoding.UTF8.GetByteCount(canonical.LocalPart) > Mailbox.MaxLocalPartOctets, $"the canonical form keeps to the RFC, but for its length: {mailbox.Canonical}");
            BrokenException.Unless(mailbox.IsStrict == (length <= Mailbox.MaxLocalPartOctets && HasQuotesWhereNeeded(mailbox.LocalPart)), $"strict is what the RFC says: {mailbox.Address}");
            signal.Add(mailbox.IsStrict);
        }

        if (Domain.TryParse(octets, out var domain))
        {
            signal.Add(3);
            signal.Add(domain.Literal is not null);
            CheckText(domain.Text);
            BrokenException.Unless(Domain.TryParse(domain.Text, out var again) && again.Equals(domain) && again.Text == domain.Text, $"a domain reads back as itself: {domain.Text}");
        }
    }

    private static bool HasQuotesWhereNeeded(string localPart) => localPart[0] == '"' || localPart.Split('.').All(static atom => atom.Length > 0);

    private static void CheckText(string text) =>
        BrokenException.Unless(!text.AsSpan().ContainsAnyInRange('\0', '\u001f') && !text.Contains('\u007f', StringComparison.Ordinal), "no control character in a wire value");
}
