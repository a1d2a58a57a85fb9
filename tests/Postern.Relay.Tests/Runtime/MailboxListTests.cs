using System.Text;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Runtime;

/// <summary>The mailboxes of From and Sender: one reading, or none.</summary>
public sealed class MailboxListTests
{
    [Theory]
    [InlineData("lisa@example.org", "lisa@example.org")]
    [InlineData(" Lisa Simpson <lisa@example.org>\r\n", "lisa@example.org")]
    [InlineData(" J. R. Tester <lisa@example.org> (on the road)\r\n", "lisa@example.org")]
    [InlineData(" =?utf-8?B?TGlzYQ==?=\r\n <lisa@example.org>\r\n", "lisa@example.org")]
    [InlineData(" \"Simpson, Lisa <x@y>\" <lisa@example.org>\r\n", "lisa@example.org")]
    [InlineData(" (a (nested \\) one)) lisa@example.org (b)\r\n", "lisa@example.org")]
    [InlineData(" <lisa@example.org>, \"a b\"@example.net\r\n", "lisa@example.org|\"a b\"@example.net")]
    [InlineData(" \u00fcber <lisa@[192.0.2.1]>,x@y.example\r\n", "lisa@[192.0.2.1]|x@y.example")]
    public void Row_213_what_has_one_reading_is_read(string body, string mailboxes) => Assert.Equal(mailboxes.Split('|'), Read(body));

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n")]
    [InlineData("(only a comment)")]
    [InlineData("lisa")]
    [InlineData("lisa@example.org,")]
    [InlineData(",lisa@example.org")]
    [InlineData("lisa@example.org bart@example.org")]
    [InlineData("lisa@example.org <bart@example.org>")]
    [InlineData("<lisa@example.org> <bart@example.org>")]
    [InlineData("<lisa@example.org> bart")]
    [InlineData("bart@example.net@example.org")]
    [InlineData("bart lisa@example.org")]
    [InlineData("lisa @example.org")]
    [InlineData("lisa@ example.org")]
    [InlineData("lisa(x)@example.org")]
    [InlineData("< lisa@example.org>")]
    [InlineData("<lisa@example.org >")]
    [InlineData("<@relay.example:lisa@example.org>")]
    [InlineData("<lisa@example.org")]
    [InlineData("lisa@example.org>")]
    [InlineData("\"lisa@example.org")]
    [InlineData("(lisa@example.org")]
    [InlineData("(lisa@example.org\\)")]
    [InlineData("lisa@example.org (x")]
    [InlineData("Friends: lisa@example.org;")]
    [InlineData("undisclosed:;")]
    [InlineData("lisa@example.org; bart@example.org")]
    [InlineData("lisa@[192.0.2.1")]
    [InlineData("li\0sa@example.org")]
    [InlineData("lisa@example.org\0<bart@example.net>")]
    [InlineData("lisa\u007f <lisa@example.org>")]
    [InlineData("<>")]
    [InlineData("\\lisa@example.org")]
    public void Row_213_what_has_another_reading_is_no_list(string body) => Assert.Null(Read(body));

    /// <summary>However names, comments and folding stand between them, every mailbox is seen, and in its order.</summary>
    [Fact]
    public void Row_213_no_mailbox_is_hidden_between_others()
    {
        var random = new Random(9);
        string[] gaps = ["", " ", "\r\n ", "\t", " (c) ", "(a \\( \"b (d) e)", " ((x@y.example))\r\n\t"];
        string[] names = ["", "Lisa ", "\"bart@example.net\" ", "\"<x@y>, \\\" z\" ", "A. B (c) ", "=?utf-8?q?bart=40example.net?= "];
        string[] addresses = ["lisa@example.org", "bart@example.net", "\"x y\"@example.org", "\"a@b\"@example.net", "z@[IPv6:::1]"];
        for (var i = 0; i < 20_000; i++)
        {
            var (text, expected) = (new StringBuilder(), new List<string>());
            for (var left = random.Next(1, 5); left > 0; left--)
            {
                var address = Pick(addresses);
                expected.Add(address);
                var isBare = random.Next(2) == 0;
                text.Append(Pick(gaps)).Append(isBare ? address : $"{Pick(names)}<{address}>").Append(Pick(gaps)).Append(left > 1 ? "," : "\r\n");
            }

            Assert.Equal(expected, Read(text.ToString()));
        }

        string Pick(string[] all) => all[random.Next(all.Length)];
    }

    /// <summary>Any octets: an answer, and never a mailbox with a line end or a comma's neighbour in it.</summary>
    [Fact]
    public void Row_213_any_octets_have_an_answer()
    {
        var random = new Random(10);
        const string Alphabet = "ab@.<>\"\\(),:;[] \t\r\n\0\u007f\u00e9";
        for (var i = 0; i < 200_000; i++)
        {
            var text = string.Create(random.Next(24), random, static (span, random) =>
            {
                foreach (ref var c in span)
                    c = Alphabet[random.Next(Alphabet.Length)];
            });
            foreach (var address in Read(text) ?? [])
                Assert.True(!Mailbox.TryParse(Encoding.Latin1.GetBytes(address), out var mailbox) || !mailbox.Address.AsSpan().ContainsAny('\r', '\n', '\0'));
        }
    }

    private static List<string>? Read(string body)
    {
        var found = new List<string>();
        var list = new MailboxList(Encoding.Latin1.GetBytes(body));
        while (list.TryNext())
            found.Add(Encoding.Latin1.GetString(list.Address));
        return list.IsWhole && found.Count > 0 ? found : null;
    }
}
