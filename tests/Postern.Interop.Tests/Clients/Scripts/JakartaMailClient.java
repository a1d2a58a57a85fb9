// Submits a message that Jakarta Mail composes, as the job on standard input says. Answers with one JSON document: what each
// attempt came to, and the octets of the composed message.
import jakarta.mail.*;
import jakarta.mail.internet.*;
import jakarta.mail.util.ByteArrayDataSource;
import jakarta.activation.DataHandler;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.*;
import java.util.regex.*;
import javax.net.ssl.*;

public class JakartaMailClient {
    private static String job;

    public static void main(String[] args) throws Exception {
        job = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        var attempts = new ArrayList<String>();
        var sent = new byte[0];
        var passwords = Pattern.compile("\"((?:[^\"\\\\]++|\\\\.)*+)\"").matcher(group("\"passwords\":\\[(.*?)\\]"));
        while (passwords.find()) {
            var session = Session.getInstance(properties());
            var message = compose(session);
            try (var transport = session.getTransport(isImplicit() ? "smtps" : "smtp")) {
                transport.connect("localhost", Integer.parseInt(group("\"port\":(\\d+)")), text("user"), unescape(passwords.group(1)));
                transport.sendMessage(message, message.getAllRecipients());
                attempts.add("{\"response\":\"" + ((com.sun.mail.smtp.SMTPTransport) transport).getLastServerResponse().strip() + "\"}");
                var octets = new ByteArrayOutputStream();
                message.writeTo(octets);
                sent = octets.toByteArray();
            } catch (AuthenticationFailedException refused) {
                attempts.add("{\"failure\":\"AUTH\",\"code\":" + (refused.getMessage().startsWith("535 5.7.8") ? 535 : 0) + "}");
            }
        }
        System.out.print("{\"attempts\":[" + String.join(",", attempts) + "],\"sent\":\"" + Base64.getEncoder().encodeToString(sent) + "\"}");
    }

    private static Properties properties() throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        store.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(text("ca"))));
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        var protocol = isImplicit() ? "mail.smtps." : "mail.smtp.";
        var properties = new Properties();
        properties.put(protocol + "auth", "true");
        properties.put(protocol + "localhost", "client.test");
        properties.put(protocol + "starttls.required", String.valueOf(!isImplicit()));
        properties.put(protocol + "ssl.socketFactory", tls.getSocketFactory());
        properties.put(protocol + "ssl.checkserveridentity", "true");
        if (!text("mechanism").isEmpty())
            properties.put(protocol + "auth.mechanisms", text("mechanism"));
        return properties;
    }

    private static MimeMessage compose(Session session) throws Exception {
        var words = new MimeBodyPart();
        words.setText("Grüße ∀x∈ℝ\r\n.\r\n..\r\n.hidden\r\nFrom here on\r\n", "utf-8");
        var octets = new MimeBodyPart();
        octets.setDataHandler(new DataHandler(new ByteArrayDataSource(Base64.getDecoder().decode(text("attachment")), "application/octet-stream")));
        octets.setFileName("octets.bin");
        octets.setHeader("Content-Transfer-Encoding", "base64");
        var message = new MimeMessage(session) {
            @Override protected void updateMessageID() throws MessagingException { setHeader("Message-ID", "<" + text("recipient") + ">"); }
        };
        message.setFrom(new InternetAddress(text("sender"), "Lisa Example"));
        message.setRecipients(Message.RecipientType.TO, text("recipient"));
        message.setSubject(text("subject"), "utf-8");
        message.setSentDate(new Date(1_795_165_872_000L));
        message.setContent(new MimeMultipart(words, octets));
        message.saveChanges();
        return message;
    }

    private static boolean isImplicit() { return text("way").equals("Implicit"); }

    private static String text(String name) { return unescape(group("\"" + name + "\":\"((?:[^\"\\\\]++|\\\\.)*+)\"")); }

    private static String group(String pattern) {
        var match = Pattern.compile(pattern).matcher(job);
        return match.find() ? match.group(1) : "";
    }

    private static String unescape(String json) {
        return Pattern.compile("\\\\(u([0-9a-fA-F]{4})|.)").matcher(json)
            .replaceAll(m -> Matcher.quoteReplacement(m.group(2) != null ? String.valueOf((char) Integer.parseInt(m.group(2), 16)) : m.group(1)));
    }
}
