using System.IO.Compression;
using System.Text;
using Postern.Web.Parts;

namespace Postern.Web.Tests.Pages;

public class AssetTests
{
    [Fact]
    public void A_name_has_the_hash_of_the_content_and_no_other_is_there()
    {
        Assert.All(AssetFiles.All, static asset =>
        {
            Assert.Matches("^[a-z]+\\.[0-9a-f]{12}\\.[a-z]+$", asset.Name);
            Assert.Same(asset, AssetFiles.Find(asset.Name));
        });
        foreach (var other in (string[])["console.js", "console.000000000000.js", "", "../Assets.cs", AssetFiles.Script.Name.ToUpperInvariant()])
            Assert.Null(AssetFiles.Find(other));
    }

    [Fact]
    public void A_browser_gets_what_it_takes()
    {
        foreach (var (accept, coding) in ((string?, string?)[])
        [
            ("gzip, deflate, br, zstd", "br"), ("GZIP", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("br;q=0.000", null), ("identity", null), ("", null), (null, null),
        ])
        {
            var (body, encoding) = AssetFiles.Script.For(accept);
            Assert.Equal(coding, encoding);
            using Stream unpacked = encoding switch
            {
                "br" => new BrotliStream(new MemoryStream(body.ToArray()), CompressionMode.Decompress),
                "gzip" => new GZipStream(new MemoryStream(body.ToArray()), CompressionMode.Decompress),
                _ => new MemoryStream(body.ToArray()),
            };
            using var plain = new MemoryStream();
            unpacked.CopyTo(plain);
            Assert.Equal(AssetFiles.Script.Content.ToArray(), plain.ToArray());
        }
    }

    /// <summary>Text becomes markup at one place, by the one policy that the pages' headers allow.</summary>
    [Fact]
    public void The_script_makes_no_markup_of_text()
    {
        var script = Encoding.UTF8.GetString(AssetFiles.Script.Content.Span);
        foreach (var word in (string[])["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setAttribute('on"])
            Assert.DoesNotContain(word, script, StringComparison.Ordinal);
        Assert.Equal(2, script.Split("createHTML(").Length);
        Assert.Equal(2, script.Split("createPolicy(").Length);
    }

    [Theory]
    [InlineData("dark.utc.off", "dark", "utc", "off")]
    [InlineData("dark.utc", "auto", "local", "on")]
    [InlineData("<x>.utc.on", "auto", "utc", "on")]
    [InlineData("", "auto", "local", "on")]
    [InlineData(null, "auto", "local", "on")]
    public void A_cookie_is_whatever_a_browser_sends(string? cookie, string theme, string clock, string keys) =>
        Assert.Equal(new Preferences(theme, clock, keys), Preferences.Parse(cookie));

    [Theory]
    [InlineData("/queue?to=example.net", "/queue?to=example.net")]
    [InlineData("//evil.example/", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example/", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("/x\r\nSet-Cookie: a=b", "/")]
    [InlineData(null, "/")]
    public void A_form_leads_back_to_a_page_of_ours(string? wanted, string url) => Assert.Equal(url, PageUrl.Local(wanted));

    [Theory]
    [InlineData("bart@example.net", "postern queue list --to bart@example.net")]
    [InlineData("$(reboot)", "postern queue list --to '$(reboot)'")]
    [InlineData("it's; reboot", "postern queue list --to 'it'\\''s; reboot'")]
    [InlineData("-rf", "postern queue list --to='-rf'")]
    [InlineData("a\nreboot\n", "postern queue list --to 'a\\u000Areboot\\u000A'")]
    [InlineData("", "postern queue list")]
    public void A_line_to_be_pasted_has_no_other_command_in_it(string to, string line) =>
        Assert.Equal(line, Shell.Line("postern queue list", ("--to", to)));
}
