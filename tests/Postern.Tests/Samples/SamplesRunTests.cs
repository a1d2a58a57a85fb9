using System.Net;
using Postern.Testing;
using Postern.Testing.Processes;

namespace Postern.Tests.Samples;

/// <summary>The programs under samples/, as they were built with these tests.</summary>
public sealed class SamplesRunTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task EmbeddedSubmission_keeps_a_message_of_its_user_as_a_file_and_fits_on_a_page()
    {
        var program = await File.ReadAllTextAsync(RepositoryFiles.PathOf("samples/EmbeddedSubmission/Program.cs"));
        Assert.InRange(program.Split('\n').Length, 1, 30);
        Assert.Contains($"```csharp\n{program}```", await File.ReadAllTextAsync(RepositoryFiles.PathOf("src/Postern.Smtp/README.md")));
        var directory = Directory.CreateTempSubdirectory("postern-sample-");
        try
        {
            await using var sample = Start("EmbeddedSubmission", directory.FullName);
            await SubmitAsync(await EndpointAsync(sample));
            await sample.Input.WriteLineAsync();
            await sample.Input.FlushAsync();
            Assert.Equal(0, await sample.WaitAsync(Patience));
            Assert.Equal("Subject: x\r\n\r\nHello.\r\n", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(directory.FullName, "*.eml"))));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task MessageSink_finds_the_message_that_was_sent()
    {
        await using var sample = Start("MessageSink");
        Assert.Equal(0, await sample.WaitAsync(Patience));
        Assert.Contains("Subject: Welcome", sample.Output.Text);
    }

    [Theory]
    [InlineData("CustomMechanism", "stored a message of meter-17")]
    [InlineData("AuthenticatedRelayer", "the next hop has a message from")]
    [InlineData("OwnPolicy", "the log names office_hours, and one message waits for an operator")]
    public async Task A_sample_that_proves_itself_does(string name, string said)
    {
        await using var sample = Start(name);
        Assert.Equal(0, await sample.WaitAsync(Patience));
        Assert.Contains(said, sample.Output.Text);
    }

    [Fact]
    public async Task KestrelAdapter_holds_sessions_that_Kestrel_accepted_and_ends_them_when_it_stops()
    {
        await using var sample = Start("KestrelAdapter");
        var endpoint = await EndpointAsync(sample);
        await SubmitAsync(endpoint);
        await using var quiet = await SmtpDialogue.GreetAsync(endpoint);
        sample.SendTerminate();
        await quiet.ExpectAsync("421");
        Assert.Equal(0, await sample.WaitAsync(Patience));
        Assert.Contains("lisa sent 22 octets", sample.Output.Text);
    }

    private static RunningProgram Start(string name, string? directory = null)
    {
        // bin/Release/net10.0, the same for all projects
        var output = Path.GetRelativePath(RepositoryFiles.PathOf("tests/Postern.Tests"), AppContext.BaseDirectory);
        return RunningProgram.Start(["dotnet", Path.Combine(RepositoryFiles.PathOf("samples"), name, output, name + ".dll")], directory);
    }

    /// <summary>From a line like <c>smtp on 127.0.0.1:40023, Enter stops</c>.</summary>
    private static async Task<IPEndPoint> EndpointAsync(RunningProgram sample)
    {
        var line = await sample.Output.FindAsync(static l => l.Contains(" on 127.0.0.1:", StringComparison.Ordinal)).WaitAsync(Patience);
        return IPEndPoint.Parse(line.Split(" on ")[1].Split(',')[0]);
    }

    private static async Task SubmitAsync(IPEndPoint endpoint)
    {
        await using var client = await SmtpDialogue.GreetAsync(endpoint);
        await client.StartTlsAsync();
        await client.SayAsync("MAIL FROM:<lisa@example.org>", "530");
        await client.SayAsync($"AUTH PLAIN {SmtpDialogue.Plain("lisa", "wrong")}", "535");
        await client.LogInAsync("lisa", "tiger");
        Assert.StartsWith("250 2.0.0 Queued as", await client.SendAsync("lisa@example.org", "bart@example.net", "Subject: x\r\n\r\nHello.\r\n"));
        await client.SayAsync("QUIT", "221");
    }
}
