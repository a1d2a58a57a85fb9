#pragma warning disable RS0030, SYSLIB0014, MA0039 // Nothing of ours is written with it: it is the client that is tested.
using System.Net;
using System.Net.Mail;
using Postern.Interop.Tests.Server;

namespace Postern.Interop.Tests.Clients;

/// <summary>System.Net.Mail, which many .NET programs still send with: LOGIN without an initial response, STARTTLS only.</summary>
public sealed class DotNetSmtpClientTests(PosternServer server)
{
    [Fact]
    public async Task The_smtp_client_of_dotnet_submits_and_hears_of_a_wrong_password()
    {
        var recipient = PosternServer.NewRecipient();
        using var message = new MailMessage(PosternServer.Sender, recipient, SampleMessage.Subject, "Grüße ∀x∈ℝ\r\n.hidden\r\n");
        message.Attachments.Add(new Attachment(new MemoryStream(SampleMessage.Attachment), "octets.bin", "application/octet-stream"));

        var refused = await Assert.ThrowsAsync<SmtpException>(() => SendAsync(message, PosternServer.WrongPassword));
        await SendAsync(message, PosternServer.Password);

        Assert.Contains("5.7.0", refused.Message, StringComparison.Ordinal);
        var arrived = await server.MessageForAsync(recipient);
        Assert.Equal(PosternServer.Sender, arrived.Sender);
        Assert.Contains(Convert.ToBase64String(SampleMessage.Attachment)[..60], arrived.Text, StringComparison.Ordinal);
    }

    private async Task SendAsync(MailMessage message, string password)
    {
        // The only place where this client can be told which certificate to trust.
        ServicePointManager.ServerCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == Postern.Testing.TestCertificate.Instance.GetCertHashString();
        using var client = new SmtpClient("localhost", server.Port(Way.StartTls)) { EnableSsl = true, Credentials = new NetworkCredential(PosternServer.User, password) };
        await client.SendMailAsync(message, TestContext.Current.CancellationToken);
    }
}
