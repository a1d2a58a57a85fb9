using Postern.Relay.Admin.Import;

namespace Postern.Relay.Tests.Admin;

/// <summary>What a file is taken for, and that no text breaks a reader.</summary>
public sealed class ImportFormatTests
{
    private const string Ssha = "{SSHA}+Mhtx/+EHjNOtGQe04TYji4GXQFJZOPR";

    private static readonly string[] Samples =
    [
        $"# c\nlisa@example.org:{Ssha}:1000:1000:Lisa:/home:/bin/sh:userdb_mail=x nologin\nbart:{Ssha}\n",
        "lisa:$apr1$abcdefgh$kCGGyo9dY4ZijMIZqmUYS.\nbart:6j1DuYcN47OiY\n",
        "sales@example.org lisa@example.org,\n  bart@example.org\n@example.net\thomer\n",
        $"name;password;addresses\n\"lisa@example.org\";{Ssha};\"a@example.org b@example.org\"\n",
    ];

    [Theory]
    [InlineData(0, "dovecot")]
    [InlineData(1, "htpasswd")]
    [InlineData(2, "postfix")]
    [InlineData(3, "csv")]
    public void A_file_is_known_by_its_lines(int sample, string format) => Assert.Equal(format, ImportFormat.Guess(LinesOf(Samples[sample]))?.Word);

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n\n")]
    [InlineData("words without a sign\n")]
    [InlineData("lisa:$apr1$x$y\nsales@example.org lisa\n")]
    [InlineData("<html>\n<body>\n")]
    public void What_fits_nothing_is_not_guessed(string text) => Assert.Null(ImportFormat.Guess(LinesOf(text)));

    [Fact]
    public void Every_format_of_the_assembly_is_on_the_list()
    {
        var written = typeof(ImportFormat).Assembly.GetTypes().SelectMany(static t => t.GetFields()).Where(static f => f.IsStatic && f.FieldType == typeof(ImportFormat)).Select(static f => ((ImportFormat)f.GetValue(null)!).Word);
        Assert.Equal(written.Order(StringComparer.Ordinal), ImportFormat.All.Select(static f => f.Word).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_text_makes_a_reader_throw_and_each_entry_has_a_line_of_the_file()
    {
        var random = new Random(2);
        foreach (var format in ImportFormat.All)
        {
            for (var i = 0; i < 2_000; i++)
            {
                var text = Samples[i % Samples.Length];
                for (var changes = random.Next(4); changes >= 0; changes--)
                {
                    var at = random.Next(text.Length);
                    text = random.Next(2) == 0 ? text[..at] + ":;,\"@\n\t {}!*\ud800\u00e4"[random.Next(14)] + text[at..] : text[..at] + text[Math.Min(text.Length, at + random.Next(9))..];
                }

                var lines = LinesOf(text);
                _ = ImportFormat.Guess(lines);
                Assert.All(format.Read(new ImportSource("x", lines, Domain: "example.org", Scheme: i % 3 == 0 ? "PLAIN-MD5" : null)), entry =>
                {
                    Assert.InRange(entry.Line, 1, lines.Length);
                    Assert.True(entry.Name is not null || entry.Problem is not null);
                });
            }
        }
    }

    private static System.Collections.Immutable.ImmutableArray<string> LinesOf(string text) => [.. text.Split('\n')];
}
