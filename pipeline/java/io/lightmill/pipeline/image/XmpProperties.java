package io.lightmill.pipeline.image;

import java.io.IOException;
import java.io.StringReader;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/** The properties of an XMP packet, which may be of any program. */
public final class XmpProperties {

  private static final String RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

  private XmpProperties() {}

  /**
   * Names with the packet's own prefixes and the text of their values; of structures and lists, all
   * text.
   *
   * @return empty if the packet is not well-formed XML, or has a document type, which XMP forbids
   */
  public static Optional<Map<String, String>> read(String packet) {
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setNamespaceAware(true);
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      factory.setExpandEntityReferences(false);
      var builder = factory.newDocumentBuilder();
      builder.setErrorHandler(new DefaultHandler()); // the default one prints
      String xml = packet.startsWith("\uFEFF") ? packet.substring(1) : packet;
      return Optional.of(properties(builder.parse(new InputSource(new StringReader(xml)))));
    } catch (SAXException e) {
      return Optional.empty();
    } catch (IOException | ParserConfigurationException e) {
      throw new IllegalStateException("the JDK's XML parser reads text", e);
    }
  }

  private static Map<String, String> properties(Document document) {
    Map<String, String> properties = new LinkedHashMap<>();
    NodeList descriptions = document.getElementsByTagNameNS(RDF, "Description");
    for (int i = 0; i < descriptions.getLength(); i++) {
      Node description = descriptions.item(i);
      NamedNodeMap attributes = description.getAttributes();
      for (int j = 0; j < attributes.getLength(); j++) {
        add(properties, attributes.item(j));
      }
      NodeList children = description.getChildNodes();
      for (int j = 0; j < children.getLength(); j++) {
        if (children.item(j).getNodeType() == Node.ELEMENT_NODE) {
          add(properties, children.item(j));
        }
      }
    }
    return properties;
  }

  private static void add(Map<String, String> properties, Node node) {
    boolean property =
        !RDF.equals(node.getNamespaceURI())
            && !XMLConstants.XMLNS_ATTRIBUTE_NS_URI.equals(node.getNamespaceURI());
    if (property) {
      properties.put(node.getNodeName(), node.getTextContent().strip());
    }
  }
}
